"""Arguments and options that several commands of the trainer share."""

from typing import Annotated

import typer

Data = Annotated[
    str, typer.Argument(help="Folder or URL (http, https, s3, gs, hf) of the data set.")
]
Split = Annotated[str, typer.Option(help="test, val or train.")]
Images = Annotated[int, typer.Option(min=1, help="At most this many samples are read.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto (CUDA where there is one).")]
