"""The commands of `generator` that build data sets, here or on a cluster, and add to them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from generator.bank import Bank
from generator.build import build as build_data_set
from generator.embedded import embedded_bank
from generator.extend import extend as extend_data_set
from generator.options import SHARD_SIZE, BankFile, Preset, Seed, Settings, ShardSize, Workers
from generator.plan import Order
from generator.recipe import preset
from generator.runners import Processes, Runner
from generator.sources.strokes import read_strokes
from generator.stream import BankStream
from generator.strokes import StrokeStream
from shards.errors import UserError
from shards.manifest import Manifest
from shards.options import local
from shards.part import Part

app = typer.Typer()

Out = Annotated[
    Path, typer.Argument(callback=local, help="Folder of the data set; its name is the set's.")
]
Val = Annotated[int | None, typer.Option(min=0, help="Validation images; else 2,000.")]
Test = Annotated[int | None, typer.Option(min=0, help="Test images; else 3,000.")]


class Engine(StrEnum):
    """Who builds."""

    LOCAL = "local"
    RAY = "ray"


@app.command()
def strokes(
    file: Annotated[
        Path,
        typer.Argument(help="Digits as strokes, one JSON object a line; or a folder drawn into."),
    ],
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="Test images.")] = 10_000,
    seed: Seed = 1,
    name: Annotated[str | None, typer.Option(help="Of the source; else the file's.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the digits.")] = "unknown",
    workers: Workers = None,
) -> None:
    r"""Build a test set of numbers from digits that people drew as strokes.

    A line is {"label": 7, "writer": "anna", "strokes": [[\[x, y], ...], ...]}, y down; a folder is
    one that generator draw has saved digits in. A number has digits of one writer and one pen, of
    any width; it is drawn large and brought in as any drawing is. The same command gives the same
    bytes.
    """
    own = file.resolve().name if file.is_dir() else file.stem
    digits = read_strokes(file, name or own, licence)
    order = Order(out, StrokeStream(digits, seed), {"test": count}, SHARD_SIZE)
    with _stoppable(out):
        manifest = build_data_set(order, run=_processes(workers))
    typer.echo(f"{out}: {count:,} test images by {len(digits.hands)} writers")
    typer.echo(f"fingerprint {manifest.fingerprint}; look at {out / 'preview.png'}")


@app.command()
def build(
    out: Out,
    preset_name: Preset = "child",
    count: Annotated[int, typer.Option(min=0, help="Training images.")] = 60_000,
    val: Val = None,
    test: Test = None,
    seed: Seed = 1,
    workers: Workers = None,
    bank: BankFile = None,
    settings: Settings = [],  # noqa: B006
    shard_size: ShardSize = SHARD_SIZE,
    only: Annotated[
        str | None, typer.Option(help="Build this part alone, like 3/16; shards merge joins them.")
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(help="ray: tasks of a Ray cluster; --workers are then under way at most."),
    ] = Engine.LOCAL,
    address: Annotated[
        str,
        typer.Option(
            help="Of the cluster: auto, this machine being one of its nodes; HOST:PORT; or local, "
            "one of this machine alone."
        ),
    ] = "auto",
    shared: Annotated[
        bool, typer.Option("--shared", help="All nodes of the cluster see OUT and write into it.")
    ] = False,
) -> None:
    """Build a data set of labelled numbers, or go on with one that was cut off.

    Prints every range of the recipe. The same command gives the same bytes, whatever the number
    of workers. A set may hold many epochs, and training may begin while it is being built.

    On a Ray cluster each shard is a task, which runs again elsewhere when its node is lost; the
    bytes are those of a build here. Shards travel to this machine, which writes them: that needs
    no disk in common and a network of 7 KB an image; with --shared the nodes write them. The nodes
    need this package, with the extra cluster, in the same versions; the bank is sent to those that
    do not see it.

    With --only 3/16 OUT gets every sixteenth shard, from the third: for job arrays, each part into
    a folder of its own. The parts are no data sets until shards merge has joined them.
    """
    recipe = preset(preset_name).override(settings)
    part = Part.parse(only) if only else None
    path = bank or embedded_bank()
    typer.echo(f"recipe {recipe.name}\n" + "\n".join(recipe.lines()))
    digits = Bank(path)
    splits = {"train": count} | _held_out(digits, {"val": (val, 2000), "test": (test, 3000)})
    order = Order(out, BankStream(digits, recipe, seed), splits, shard_size)
    with _stoppable(out):
        manifest = build_data_set(order, run=_runner(engine, workers, address, shared), part=part)
    _report(out, manifest)


@app.command()
def extend(
    data: Annotated[Path, typer.Argument(callback=local, help="Folder of a finished data set.")],
    count: Annotated[int, typer.Option(min=0, help="Training images to add.")],
    val: Annotated[int, typer.Option(min=0, help="Validation images to add.")] = 0,
    test: Annotated[int, typer.Option(min=0, help="Test images to add.")] = 0,
    bank: BankFile = None,
    workers: Workers = None,
    shard_size: ShardSize = SHARD_SIZE,
) -> None:
    """Add images to a data set, as its next minor version; the files it has stay as they are.

    Seed, recipe and digits are the set's own, and the keys go on after its last: the new images are
    others, by the writers of their split. Until all are there the set remains what it was; when
    cut off, the same command goes on.
    """
    splits = {"train": count, "val": val, "test": test}
    with _stoppable(data):
        manifest = extend_data_set(
            data, bank or embedded_bank(), splits, shard_size, _processes(workers)
        )
    typer.echo(f"{data}: now {manifest.version}")
    _report(data, manifest)


def _runner(engine: Engine, workers: int | None, address: str, shared: bool) -> Runner:
    if engine is Engine.LOCAL:
        if shared or address != "auto":
            raise UserError("--shared and --address are of a cluster; add --engine ray")
        return _processes(workers)
    from generator.cluster.cluster import Cluster

    return Cluster(address, shared, workers)


def _processes(workers: int | None) -> Processes:
    return Processes(workers or os.cpu_count() or 1)


@contextmanager
def _stoppable(folder: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command goes on from the shards in {folder}", err=True)
        raise typer.Exit(130) from None


def _report(out: Path, manifest: Manifest) -> None:
    """Say what was built: of a part, what of the whole it holds."""
    built = [entry for entry in manifest.shards if entry.sha256]
    size = f"{sum(entry.bytes for entry in built) / 1e6:,.0f} MB"
    if manifest.part:
        typer.echo(
            f"{out}: part {manifest.part}, {len(built):,} of {len(manifest.shards):,} shards, "
            f"{size}; next, with all parts: shards merge DATA {out} ..."
        )
        return
    sizes = ", ".join(f"{n:,} {split}" for split, n in manifest.splits.items())
    typer.echo(f"{out}: {sizes} images in {len(built):,} shards, {size}")
    typer.echo(f"fingerprint {manifest.fingerprint}; look at {out / 'preview.png'}")


def _held_out(bank: Bank, wanted: dict[str, tuple[int | None, int]]) -> dict[str, int]:
    """Sizes of the splits that nobody trains on; by default those for which there are writers."""
    sizes = {}
    for split, (asked, default) in wanted.items():
        if asked is None and not bank.has(split):
            typer.echo(f"no {split} images: the bank has no {split} writers for every digit")
        sizes[split] = asked if asked is not None else default if bank.has(split) else 0
    return sizes
