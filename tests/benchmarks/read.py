"""How fast random batches come from a shard on disk, as float32 tensors on the device.

python -m tests.benchmarks.read --data data/child
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer

from generator.bank import Bank
from generator.build import Order, build
from generator.embedded import embedded_bank
from generator.recipe import preset
from generator.stream import BankStream
from shards.canvas import HEIGHT, WIDTH
from shards.reader import DataSet
from shards.terminal import run
from tests.benchmarks.peers import Peers, compare
from tests.benchmarks.read_peers import by_datasets, by_litdata, by_mosaicml, by_webdataset
from tests.benchmarks.table import Row, as_markdown
from tests.benchmarks.timing import Task
from trainer.data import Order as Shuffle

BATCH = 256
SHARD_SIZE = 8192
EPOCHS = 4  # of ours in a round
ROUNDS = 7
SCALE = np.float32(1 / 255)


def read_rows(data: DataSet, folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Rates of reading the split `train` in random order; peers' copies go into `folder`."""
    torch.set_num_threads(1)
    stage = f"read, random batches of {BATCH} to float32, one process"
    shard = data.folder / next(e.file for e in data.manifest.shards if e.split == "train")
    n = f"{rounds} x {EPOCHS * SHARD_SIZE:,} / {SHARD_SIZE:,}"
    by_decoding: Peers = {"webdataset: decode, shuffle, batch": by_webdataset(shard, BATCH)}
    by_bytes: Peers = {
        "mosaicml-streaming: bytes, by index": by_mosaicml(data, folder, BATCH),
        "litdata: bytes, its loader": by_litdata(data, folder, BATCH),
        "Hugging Face datasets: Arrow, by index": by_datasets(data, folder, BATCH),
    }
    floor: Peers = {"the floor: images already in the cache to float32": _floor()}
    ours = _ours(data)
    return [
        *compare(stage, ours, by_decoding, rounds, n, "50x"),
        *compare(stage, ours, by_bytes, rounds, n, "5x the best"),
        *compare(stage, ours, floor, rounds, n, "1"),
    ]


def make_data(folder: Path, bank: Path) -> DataSet:
    """Build one shard to read, and a few samples to calibrate quantization."""
    splits = {"train": SHARD_SIZE, "val": 64}
    numbers = BankStream(Bank(bank), preset("child"), seed=1)
    build(Order(folder, numbers, splits, SHARD_SIZE), workers=1)
    return DataSet(folder)


def _ours(data: DataSet) -> Task:
    floats = np.empty((BATCH, HEIGHT, WIDTH), np.float32)
    batch = torch.from_numpy(floats)[:, None]

    def task(number: int) -> int:
        order = Shuffle(SHARD_SIZE, SHARD_SIZE, BATCH, seed=number + 1)
        read = 0
        for epoch in range(EPOCHS):
            for indices in order.indices(epoch):
                data.gather("train", indices, out=floats)
                read += len(batch)
        return read

    return task


def _floor() -> Task:
    """What no reader can do without: 16 KB of floats written for an image."""
    images = np.ones((BATCH, HEIGHT, WIDTH), np.uint8)
    floats = np.empty(images.shape, np.float32)

    def task(number: int) -> int:
        for _ in range(EPOCHS * SHARD_SIZE // BATCH):
            floats[...] = images
            np.multiply(floats, SCALE, out=floats)
        return EPOCHS * SHARD_SIZE

    return task


def main(
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
) -> None:
    """Measure reading, and print it as a Markdown table."""
    with TemporaryDirectory(prefix="bench-") as folder:
        data = make_data(Path(folder) / "set", (bank or embedded_bank()).resolve())
        typer.echo(as_markdown(read_rows(data, Path(folder))))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    run(app)()
