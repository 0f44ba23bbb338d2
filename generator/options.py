"""Options that several commands of `generator` share."""

from pathlib import Path
from typing import Annotated

import typer

from generator.recipe import PRESETS
from generator.rng import MAX_SEED

SHARD_SIZE = 4096

BankFile = Annotated[
    Path | None,
    typer.Option("--bank", help="Bank made by `generator digits`; else the embedded digits."),
]
Preset = Annotated[str, typer.Option("--preset", help=f"How numbers look: {', '.join(PRESETS)}.")]
Settings = Annotated[
    list[str],
    typer.Option("--set", help="Change a range: NAME=VALUE or NAME=LOW:HIGH; repeat for more."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, max=1024, help="Processes; else one a core. The bytes do not depend on it."
    ),
]
ShardSize = Annotated[int, typer.Option(min=1, max=100_000, help="Images in a shard.")]
Seed = Annotated[
    int,
    typer.Option(min=0, max=MAX_SEED, help="Which numbers are drawn; the same seed, the same."),
]
