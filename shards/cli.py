"""The command `shards`: look at a data set, prove it, picture it, import one."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from shards import terminal
from shards.cli_share import app as share
from shards.cli_versions import app as versions
from shards.files import save_image
from shards.foreign.importing import REFUSED, import_tars
from shards.manifest import MANIFEST, read_manifest
from shards.merge import merge as merge_parts
from shards.opening import open_data
from shards.options import local, picture
from shards.preview import preview as draw_preview
from shards.summary import summary
from shards.verify import verify as find_faults

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Look at, verify, compare, picture and import data sets of labelled number images.",
)
app.add_typer(versions)
app.add_typer(share)

_REFUSALS = 20  # on the screen

Out = Annotated[
    Path, typer.Argument(callback=local, help="New folder of the data set; its name is the set's.")
]

Place = Annotated[
    str, typer.Argument(help="Folder or URL (http, https, s3, gs, hf) of the data set.")
]


@app.command()
def info(data: Place) -> None:
    """Print what a data set holds: splits, sources, recipe, sizes, how often each digit occurs.

    Works for a set that is still being built, too, and says how far it is.
    """
    typer.echo(summary(open_data(data)))


@app.command()
def verify(data: Place) -> None:
    """Check every byte of a data set and prove that its splits share no writer and no digit.

    Prints each fault, naming shard, sample and part, and exits with 1 if there is any.
    """
    faults = find_faults(data)
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise typer.Exit(1)
    manifest = open_data(data).manifest
    proof = "no writer and no digit in two splits"
    typer.echo(
        f"sound: {sum(manifest.splits.values()):,} samples in {len(manifest.shards)} shards, "
        f"{proof if manifest.writers_known else 'by writers who are not known'}"
    )


@app.command()
def preview(
    data: Place,
    out: Annotated[Path, typer.Argument(callback=picture, help="Image file to write, as .png.")],
    split: Annotated[str, typer.Option(help="Split to draw from: train, val or test.")] = "train",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of images.")] = 40,
) -> None:
    """Draw a contact sheet of images, spread over a split, with their labels.

    Of a set at a URL, spread over the first shard of the split.
    """
    image = draw_preview(open_data(data), split, count)
    save_image(image, out)
    typer.echo(f"{out}: {image.width}x{image.height} px")


@app.command()
def merge(
    out: Annotated[
        Path, typer.Argument(callback=local, help="Folder of the data set; its name is the set's.")
    ],
    parts: Annotated[
        list[Path],
        typer.Argument(callback=local, help="Folders that generator build --only made, all."),
    ],
) -> None:
    """Join the parts of a build into one data set, byte for byte that of a build in one go.

    Every shard is compared with the SHA-256 that its part recorded. Shards are hard links where OUT
    lies on the disk of the parts, which costs no room, else copies. The parts stay as they are:
    remove them once shards verify has found OUT sound. When cut off, the same command goes on.
    """
    manifest = merge_parts(out, parts)
    typer.echo(
        f"{out}: {sum(manifest.splits.values()):,} images in {len(manifest.shards):,} shards of "
        f"{len(parts)} parts"
    )
    typer.echo(f"fingerprint {manifest.fingerprint}; look at {out / 'preview.png'}")


@app.command("import")
def import_(
    tars: Annotated[
        list[str],
        typer.Argument(help="Tars in the WebDataset convention, URLs of them, or folders."),
    ],
    out: Annotated[
        Path,
        typer.Argument(callback=local, help="New folder of the data set; its name is the set's."),
    ],
    split: Annotated[
        str, typer.Option(help="Of tars whose names, or folders', begin with no split.")
    ] = "train",
    licence: Annotated[str, typer.Option(help="Licence of the pictures.")] = "unknown",
    ignore: Annotated[
        list[str], typer.Option(help="Leave files unread whose names end so; repeat for more.")
    ] = [],  # noqa: B006
) -> None:
    """Convert foreign WebDatasets: PNG or JPEG of any size, labels in .txt, .cls or .json.

    Tars may be gzipped, and lie at URLs (http, https, s3, gs, hf), from which they are fetched.

    Grey pictures of 128x32 px on black are taken as they are, others as fit() places a drawing.
    What is not sound is listed in OUT/refused.jsonl with tar, key and reason. A tar that holds
    anything but plain pictures and labels is refused before a picture is decoded.
    """
    report = import_tars(tars, out, split, licence, ignore)
    for refusal in report.refused[:_REFUSALS]:
        where = refusal.tar if refusal.key is None else f"{refusal.tar}, {refusal.key}"
        typer.echo(f"not taken: {where}: {refusal.reason}")
    if len(report.refused) > _REFUSALS:
        typer.echo(f"not taken: {len(report.refused) - _REFUSALS:,} more")
    if report.refused:
        typer.echo(f"not taken: {len(report.refused):,} in all, listed in {out / REFUSED}")
    if report.unread:
        typer.echo(f"left unread, as asked: {report.unread:,} files")
    if report.unused:
        typer.echo(f"without a place in a record: {', '.join(sorted(report.unused))} of the JSON")
    splits = read_manifest(out / MANIFEST).splits
    sizes = ", ".join(f"{count:,} {split}" for split, count in splits.items() if count)
    typer.echo(
        f"{out}: {sizes} images, {report.as_is:,} as they were, {report.fitted:,} by fit(); hands "
        "are not known, so that splits may share some"
    )


def _add_commands_of_others() -> None:
    """Take in the commands that installed packages name in the entry points `shards.commands`.

    So the generator, which this package may not know, adds what needs a bank.
    """
    for point in entry_points(group="shards.commands"):
        app.command(point.name)(point.load())


_add_commands_of_others()
main = terminal.run(app)
