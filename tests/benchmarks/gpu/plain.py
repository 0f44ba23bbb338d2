"""The plain loop that one writes first, on the same device: eager and in float32.

Its workers read our shards by webdataset, or where that is not installed by tarfile and Pillow.
"""

import importlib.util
import io
import itertools
import random
import statistics
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from shards.reader import DataSet
from tests.benchmarks.gpu.clock import Work, rate
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.gpu.steps import RATE, WARM_UP, endless, warmed_up
from tests.benchmarks.table import Row
from trainer.config import Config
from trainer.data import from_shards
from trainer.models import build_seeded
from trainer.state import State

BUFFER = 1000  # samples among which a worker shuffles
GOALS = {"optimized": "10x"}

Labelled = tuple[Tensor, list[str]]  # float32 (b, 1, 32, 128) in 0..1, and labels


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """A row of each model: ours streaming beside the plain loop, in turn."""
    has_webdataset = importlib.util.find_spec("webdataset") is not None
    plain_size = scale.plain_batch
    source = (by_webdataset if has_webdataset else ByTarfile)(_shards(data), plain_size)
    batches = _endless(_loader(source, scale.workers, device))
    how = "webdataset" if has_webdataset else "webdataset not installed: tarfile + PIL loader"
    peer = f"plain loop: eager, float32, batch {plain_size}, {scale.workers} workers, {how}"
    for model in scale.batches:
        size = scale.usual_batch(model)
        state = State(Config(model, batch=size), device)
        streamed = endless(from_shards(data, "train", device), data, size, device)
        ours, plain = warmed_up(state, streamed), _plain(model, batches, device)
        rates: list[tuple[float, float]] = []
        for _ in range(scale.rounds):
            found = rate(ours, size, scale.seconds, device)
            rates.append((found, rate(plain, plain_size, scale.seconds, device)))
        found, baseline = (statistics.median(each) for each in zip(*rates, strict=True))
        one = itertools.repeat(next(batches))
        without_loading = rate(_plain(model, one, device), plain_size, scale.seconds, device)
        stage = f"training, {model}, batch {size}, streamed from shards"
        n = f"{scale.rounds} x {scale.seconds} s; plain without loading {without_loading:,.0f}"
        report.add(Row(stage, "images/s", found, baseline, peer, n, GOALS.get(model, "")))


def _plain(model: str, batches: Iterator[Labelled], device: torch.device) -> Work:
    """No clipping, no averaged weights: less to do than ours has."""
    network = build_seeded(model, seed=0).to(device).train()
    loss_of = nn.CTCLoss(zero_infinity=True)
    optimizer = torch.optim.AdamW(network.parameters(), RATE)

    def step() -> None:
        images, labels = next(batches)
        targets = torch.tensor([int(digit) + 1 for label in labels for digit in label])
        lengths = torch.tensor([len(label) for label in labels])
        paths = network(images.to(device, non_blocking=True)).log_softmax(2).transpose(0, 1)
        steps = torch.full_like(lengths, len(paths))
        loss = loss_of(paths, targets.to(device), steps, lengths)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    for _ in range(WARM_UP):
        step()
    return step


def _shards(data: DataSet) -> list[Path]:
    entries = [entry for entry in data.manifest.shards if entry.split == "train"]
    return [data.folder / entry.file for entry in entries]


def _loader(
    source: IterableDataset[Labelled], workers: int, device: torch.device
) -> DataLoader[Labelled]:
    return DataLoader(
        source,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,
        pin_memory=device.type == "cuda",
    )


def _endless(loader: DataLoader[Labelled]) -> Iterator[Labelled]:
    while True:
        yield from loader


def by_webdataset(shards: list[Path], size: int) -> IterableDataset[Labelled]:
    """Batches by webdataset's pipeline."""
    import webdataset

    samples = webdataset.WebDataset([str(shard) for shard in shards], shardshuffle=len(shards))
    decoded = samples.shuffle(BUFFER).decode("l8").to_tuple("png", "txt")
    batches: IterableDataset[Labelled] = decoded.batched(size, partial=False).map(_as_tensor)
    return batches


class ByTarfile(IterableDataset[Labelled]):
    """Batches by tarfile and Pillow; each worker reads its share of the shards, start to end."""

    def __init__(self, shards: list[Path], size: int) -> None:
        self.shards, self.size = shards, size

    def __iter__(self) -> Iterator[Labelled]:
        worker = get_worker_info()
        own = self.shards[worker.id :: worker.num_workers] if worker else self.shards[:]
        random.shuffle(own)
        samples = _shuffled(sample for shard in own for sample in _samples(shard))
        while len(batch := list(itertools.islice(samples, self.size))) == self.size:
            images, labels = zip(*batch, strict=True)
            yield _as_tensor((np.stack(images), list(labels)))


def _samples(shard: Path) -> Iterator[tuple[np.ndarray, str]]:
    with tarfile.open(shard) as tar:
        content: dict[str, bytes] = {}
        for member in tar:
            kind = member.name.rpartition(".")[2]
            content[kind] = tar.extractfile(member).read()  # type: ignore[union-attr]
            if kind == "json":
                image = np.asarray(Image.open(io.BytesIO(content["png"])))
                yield image, content["txt"].decode()


def _shuffled(samples: Iterable[tuple[np.ndarray, str]]) -> Iterator[tuple[np.ndarray, str]]:
    """Put each sample in a random place of a buffer, and yield what was there."""
    buffer: list[tuple[np.ndarray, str]] = []
    for sample in samples:
        if len(buffer) < BUFFER:
            buffer.append(sample)
            continue
        place = random.randrange(BUFFER)
        yield buffer[place]
        buffer[place] = sample
    random.shuffle(buffer)
    yield from buffer


def _as_tensor(batch: tuple[np.ndarray, list[str]]) -> Labelled:
    images, labels = batch
    return torch.from_numpy(images)[:, None].float().div_(255), labels
