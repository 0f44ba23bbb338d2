"""What the generator contributes to the command `shards`: see [shards.commands] in pyproject."""

from pathlib import Path
from typing import Annotated

import typer

from shards.options import local, picture


def regenerate(
    folder: Annotated[Path, typer.Argument(callback=local, help="Folder of the data set.")],
    key: Annotated[int, typer.Option(min=0, help="Which sample, as in its file's name.")],
    bank: Annotated[
        Path | None,
        typer.Option(help="The bank it was built with; else the embedded digits."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(callback=picture, help="PNG to save the new image as.")
    ] = None,
) -> None:
    """Render one sample again, from the manifest and the bank, and compare all its bytes.

    Prints what differs from the stored record, if anything does, and which versions of numpy,
    OpenCV and this package are not those that made it; exits with 1 then.
    """
    from PIL import Image

    from generator.embedded import embedded_bank
    from generator.regenerate import regenerate as render_again
    from shards.files import save_image

    found = render_again(folder, bank or embedded_bank(), key)
    name = f"sample {found.key:09} of {found.file}"
    if out is not None:
        save_image(Image.fromarray(found.image), out)
        typer.echo(f"{out}: {name}, {found.label}")
    if not found.differences:
        typer.echo(f"{name}, {found.label}: rendered again, equal in all 7,168 bytes")
        return
    for difference in found.differences:
        typer.echo(f"{name}: {difference}")
    raise typer.Exit(1)
