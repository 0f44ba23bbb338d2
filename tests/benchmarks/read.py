"""How fast random batches come from a shard on disk.

python -m tests.benchmarks.read --data data/child
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from generator.bank import Bank
from generator.build import Order, build
from generator.embedded import embedded_bank
from generator.recipe import preset
from generator.stream import BankStream
from shards.reader import DataSet
from tests.benchmarks.table import Row, as_markdown
from tests.benchmarks.timing import Task, median_rates

BATCH = 256
SHARD_SIZE = 8192
BATCHES = 256  # about a tenth of a second
BUFFER = 1000
ROUNDS = 7


def read_rows(data: DataSet, rounds: int = ROUNDS) -> list[Row]:
    """Rates of reading random batches from the first shard of the split `train`."""
    entry = next(entry for entry in data.manifest.shards if entry.split == "train")
    tasks = {
        "gather": _gather(data, entry.count),
        "webdataset": _webdataset(data.folder / entry.file),
    }
    rates = median_rates(tasks, rounds)
    n = f"{rounds} x {BATCHES * BATCH:,} / {entry.count:,}"
    stage = f"read, random batches of {BATCH}, one process"
    peer = f"webdataset: decode, shuffle {BUFFER}, batch"
    return [Row(stage, "images/s", rates["gather"], rates["webdataset"], peer, n)]


def make_data(folder: Path, bank: Path) -> DataSet:
    """Build one shard to read."""
    stream = BankStream(Bank(bank), preset("child"), seed=1)
    build(Order(folder, stream, {"train": SHARD_SIZE}, SHARD_SIZE), workers=1)
    return DataSet(folder)


def _gather(data: DataSet, count: int) -> Task:
    def task(number: int) -> int:
        random = np.random.default_rng(number + 1)
        read = 0
        for _ in range(BATCHES):
            images, _ = data.gather("train", random.integers(0, count, BATCH))
            read += len(images)
        return read

    return task


def _webdataset(shard: Path) -> Task:
    # Here, since it loads torch where there is one, and a build measured later would inherit that.
    import webdataset

    def task(number: int) -> int:
        # Shuffled before it is decoded, which is the faster order.
        samples = (
            webdataset.WebDataset(str(shard), shardshuffle=False)
            .shuffle(BUFFER, seed=number + 1)
            .decode("l8")
            .to_tuple("png", "txt")
            .batched(BATCH)
        )
        return sum(len(images) for images, _ in samples)

    return task


def main(
    data: Annotated[
        Path | None, typer.Option(help="Data set to read; else one shard is built.")
    ] = None,
) -> None:
    """Measure reading, and print it as a Markdown table."""
    if data is not None:
        typer.echo(as_markdown(read_rows(DataSet(data))))
        return
    with TemporaryDirectory(prefix="bench-") as folder:
        typer.echo(as_markdown(read_rows(make_data(Path(folder) / "set", embedded_bank()))))


if __name__ == "__main__":
    typer.run(main)
