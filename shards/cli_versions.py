"""Commands of `shards` that compare data sets: what changed, and what they share."""

from pathlib import Path
from typing import Annotated

import typer

from shards.options import local, picture

app = typer.Typer()


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(callback=local, help="Folder of a data set.")],
    new: Annotated[Path, typer.Argument(callback=local, help="Folder of what it has become.")],
    sheet: Annotated[
        Path | None,
        typer.Option(
            callback=picture, help="Draw samples that changed, before and after, as .png."
        ),
    ] = None,
) -> None:
    """Tell what changed between two data sets, and which version the new one is.

    patch: the same samples, packed otherwise, or only the manifest changed. minor: samples were
    added, those of before are unchanged. major: samples changed, or are gone. Decided by the bytes
    of the samples, key by key, not by what the manifests say. The exit status is 0 whatever
    changed.
    """
    from shards.compare.versions import diff
    from shards.compare.versions_text import as_sheet, as_text
    from shards.files import save_image

    found = diff(old, new)
    typer.echo(as_text(found))
    if sheet and found.examples:
        image = as_sheet(found)
        save_image(image, sheet)
        typer.echo(f"{sheet}: {len(found.examples)} samples that changed, before and after")
    elif sheet:
        typer.echo(f"no sample changed: {sheet} is not drawn")


@app.command()
def overlap(
    one: Annotated[Path, typer.Argument(callback=local, help="Folder of a data set.")],
    others: Annotated[
        list[Path], typer.Argument(callback=local, help="Those to compare it with, one by one.")
    ],
    split: Annotated[
        list[str], typer.Option(help="Of the first set, repeat for more; all if not given.")
    ] = [],  # noqa: B006
    against: Annotated[
        list[str], typer.Option(help="Splits of the others; all if not given.")
    ] = [],  # noqa: B006
) -> None:
    """Prove that data sets share no writer, no digit and no picture; else show what they share.

    For the train of one and the test of another: shards overlap A B --split train --against test.
    The exit status is 1 if anything is shared.

    Digits are told apart by their ids where a source of digits is the same in both sets, by its
    SHA-256, whatever banks they were built with. Where it is not, or hands are not known, as of
    imported sets, whole pictures are compared, and what that cannot show is said.
    """
    from shards.compare.overlap import overlap
    from shards.compare.overlap_text import as_text
    from shards.reader import DataSet

    shared = False
    for other in others:
        found = overlap(DataSet(one), DataSet(other), split, against)
        typer.echo(as_text(found))
        shared |= found.found
    raise typer.Exit(1 if shared else 0)
