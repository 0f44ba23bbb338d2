"""How fast a training step is on one core, batches from shards on disk included.

python -m tests.benchmarks.train
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from generator.embedded import embedded_bank
from shards.reader import DataSet
from tests.benchmarks.peers import Peers, compare
from tests.benchmarks.read import SHARD_SIZE, make_data
from tests.benchmarks.read_peers import webdataset_batches
from tests.benchmarks.table import Row, as_markdown
from tests.benchmarks.timing import Task
from trainer.config import Config
from trainer.data import Batch, Order, from_shards, stream
from trainer.device import choose_precision
from trainer.models import build_seeded
from trainer.state import State
from trainer.train import update
from trainer.trim import best_parts

BATCHES = {"nano": 256, "optimized": 64}
STEPS = 2
ROUNDS = 7
RATE = 1e-3

Labelled = tuple[Tensor, list[str]]


def train_rows(data: DataSet, rounds: int = ROUNDS) -> list[Row]:
    """Images a second of the trainer's step and of the plain loop, in turn, one thread each."""
    torch.set_num_threads(1)
    shard = data.folder / next(e.file for e in data.manifest.shards if e.split == "train")
    rows = []
    for model, batch in BATCHES.items():
        loader = DataLoader(
            webdataset_batches(shard, batch, seed=1),
            batch_size=None,
            num_workers=1,
            multiprocessing_context="spawn",
        )
        peers: Peers = {
            "plain loop: eager, float32, contiguous, webdataset in a worker of its own": _plain(
                model, _endless(loader), batch
            )
        }
        stage = f"training step, {model}, batch {batch}, streaming included"
        n = f"{rounds} x {STEPS} steps"
        rows += compare(stage, _ours(model, data, batch), peers, rounds, n, "1.5x")
    return rows


def _ours(model: str, data: DataSet, batch: int) -> Task:
    device = torch.device("cpu")
    state = State(Config(model), device)
    precision = choose_precision("auto", device)
    batches = _batches(data, batch, device)
    parts = best_parts(state.model)

    def task(number: int) -> int:
        for _ in range(STEPS):
            update(state, next(batches), RATE, precision, parts=parts)
        return STEPS * batch

    return task


def _batches(data: DataSet, batch: int, device: torch.device) -> Iterator[Batch]:
    order = Order(SHARD_SIZE, SHARD_SIZE, batch, seed=1)
    epochs = np.concatenate([order.indices(epoch) for epoch in range(10)])
    return stream(from_shards(data, "train", device), epochs)


def _plain(model: str, batches: Iterator[Labelled], batch: int) -> Task:
    """As one writes it first; no clipping, no averaged weights: less to do than ours has."""
    network = build_seeded(model, seed=0).train()
    loss_of = nn.CTCLoss(zero_infinity=True)
    optimizer = torch.optim.AdamW(network.parameters(), RATE)

    def task(number: int) -> int:
        for _ in range(STEPS):
            images, labels = next(batches)
            targets = torch.tensor([int(digit) + 1 for label in labels for digit in label])
            lengths = torch.tensor([len(label) for label in labels])
            paths = network(images).log_softmax(2).transpose(0, 1)
            steps = torch.full_like(lengths, len(paths))
            loss = loss_of(paths, targets, steps, lengths)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        return STEPS * batch

    return task


def _endless(loader: DataLoader[Labelled]) -> Iterator[Labelled]:
    while True:
        yield from loader


def main() -> None:
    """Measure training on one shard, and print it as a Markdown table."""
    with TemporaryDirectory(prefix="bench-") as folder:
        typer.echo(as_markdown(train_rows(make_data(Path(folder) / "set", embedded_bank()))))


if __name__ == "__main__":
    main()
