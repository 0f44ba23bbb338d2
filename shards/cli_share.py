"""The commands of `shards` that move data sets: push, pull, compact, expand."""

from pathlib import Path
from typing import Annotated

import typer

from shards.options import local

app = typer.Typer()

_PLACE = "A folder, or a URL: s3://BUCKET/SET, gs://..., hf://datasets/USER/NAME"


@app.command()
def push(
    data: Annotated[Path, typer.Argument(callback=local, help="Folder of the finished data set.")],
    to: Annotated[str, typer.Argument(help=f"{_PLACE}.")],
    compact: Annotated[
        bool, typer.Option("--compact", help="Send each shard as .tar.gz, a tenth of the size.")
    ] = False,
) -> None:
    """Send a data set elsewhere, each shard checked by its hash, the manifest last.

    What is there already is kept, so that after a cut the same command goes on, and a set that has
    grown sends its new shards only. Nothing is deleted there, and a README.md that was edited
    stays; a place that holds another data set is refused. Passwords and tokens come from where
    each service keeps them (`hf auth login`, ~/.aws, ...).
    """
    from shards.remote.place import redacted
    from shards.remote.push import push

    done = push(data, to, compact)
    if not done.card:
        typer.echo("the README.md there is not as shards writes it, and stays as it is")
    typer.echo(
        f"{redacted(to)}: {done.sent} shards sent, {done.kept} were there, {done.bytes:,} bytes; "
        f"next: shards pull {redacted(to)} FOLDER, or trainer train {redacted(to)}"
    )


@app.command()
def pull(
    source: Annotated[str, typer.Argument(metavar="URL", help=f"{_PLACE}, http(s)://...")],
    folder: Annotated[
        Path, typer.Argument(callback=local, help="New folder, or what a cut pull left.")
    ],
) -> None:
    """Fetch a data set, each shard checked by its hash, the manifest last.

    A compact set is unpacked on the way. After a cut the same command goes on within the shard;
    of a set that has grown only new shards are fetched.
    """
    from shards.remote.pull import pull

    fetched = pull(source, folder)
    typer.echo(f"{folder}: {fetched} shards fetched and whole; next: shards verify {folder}")


@app.command()
def compact(
    data: Annotated[Path, typer.Argument(callback=local, help="Folder of the finished data set.")],
    out: Annotated[Path, typer.Argument(callback=local, help="New folder for the small form.")],
) -> None:
    """Pack a data set for the wire: each shard a .tar.gz, a tenth of the size.

    It is a WebDataset still, for `webdataset` and Hugging Face `datasets`; shards expand brings
    back the very same shards. push --compact does both steps at once, and pull unpacks.
    """
    from shards.remote.push import push

    before = sum(path.stat().st_size for path in data.glob("*.tar"))
    after = push(data, out, packed=True).bytes
    typer.echo(f"{out}: {before:,} bytes to {after:,}, {before / after:.1f} times smaller")


@app.command()
def expand(
    packed: Annotated[Path, typer.Argument(callback=local, help="Folder that compact wrote.")],
    folder: Annotated[Path, typer.Argument(callback=local, help="New folder for the data set.")],
) -> None:
    """Unpack what shards compact has packed: the same bytes, the same fingerprint."""
    from shards.remote.pull import pull

    pull(packed, folder)
    typer.echo(f"{folder}: the data set as it was built; next: shards verify {folder}")
