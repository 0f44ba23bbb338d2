"""The command `shards`: look at a data set, prove it, picture it."""

from pathlib import Path
from typing import Annotated

import typer

from shards import terminal
from shards.files import save_image
from shards.preview import preview as draw_preview
from shards.reader import DataSet
from shards.summary import summary
from shards.verify import verify as find_faults

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Look at, verify and picture data sets of labelled number images.",
)

Folder = Annotated[
    Path, typer.Argument(help="Folder of the data set (manifest.json or plan.json).")
]


@app.command()
def info(folder: Folder) -> None:
    """Print what a data set holds: splits, sources, recipe, sizes, how often each digit occurs.

    Works for a set that is still being built, too, and says how far it is.
    """
    typer.echo(summary(DataSet(folder)))


@app.command()
def verify(folder: Folder) -> None:
    """Check every byte of a data set and prove that its splits share no writer and no digit.

    Prints each fault, naming shard, sample and part, and exits with 1 if there is any.
    """
    faults = find_faults(folder)
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise typer.Exit(1)
    manifest = DataSet(folder).manifest
    typer.echo(
        f"sound: {sum(manifest.splits.values()):,} samples in {len(manifest.shards)} shards, "
        "no writer and no digit in two splits"
    )


@app.command()
def preview(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Image file to write, as .png.")],
    split: Annotated[str, typer.Option(help="Split to draw from: train, val or test.")] = "train",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of images.")] = 40,
) -> None:
    """Draw a contact sheet of images, spread over a split, with their labels."""
    image = draw_preview(DataSet(folder), split, count)
    save_image(image, out)
    typer.echo(f"{out}: {image.width}x{image.height} px")


main = terminal.run(app)
