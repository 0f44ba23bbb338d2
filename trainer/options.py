"""Arguments and options that several commands of the trainer share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Argument(help="Folder of the data set (manifest.json or plan.json).")]
Split = Annotated[str, typer.Option(help="test, val or train.")]
Images = Annotated[int, typer.Option(min=1, help="At most this many samples are read.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto (CUDA where there is one).")]
