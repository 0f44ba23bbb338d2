"""The same images in the best format of each library that streams, and how each reads batches.

A sample is one row of 4,101 bytes, pixels and digits, wherever a library can keep bytes as they
are: nothing is decoded, and a batch is one join, turned into floats as ours are, in memory that is
used again. Measured beside: columns of arrays, and their own collation, are 2 to 40 times slower
in each; fresh memory for the floats halves the fastest. ffcv is absent: its last release, of 2022,
builds only where the headers of OpenCV and libturbojpeg are installed.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
import webdataset
from torch import Tensor

from shards.canvas import HEIGHT, WIDTH
from shards.reader import DataSet
from tests.benchmarks.peers import find
from tests.benchmarks.timing import Task

PIXELS = HEIGHT * WIDTH
SAMPLE = PIXELS + 5  # bytes
BUFFER = 1000  # samples among which webdataset shuffles
CHUNK = 1 << 26  # bytes


def by_webdataset(shard: Path, batch: int) -> Task:
    """Shards of ours are shards of webdataset's."""

    def task(number: int) -> int:
        return _total(images for images, _ in webdataset_batches(shard, batch, number + 1))

    return task


def webdataset_batches(shard: Path, batch: int, seed: int) -> webdataset.WebDataset:
    """Batches of inputs, float32 (b, 1, 32, 128), and labels; shuffled before they are decoded."""
    return (
        webdataset.WebDataset(str(shard), shardshuffle=False)
        .shuffle(BUFFER, seed=seed)
        .decode("l8")
        .to_tuple("png", "txt")
        .batched(batch)
        .map(_as_tensor)
    )


def by_mosaicml(data: DataSet, folder: Path, batch: int) -> Task | None:
    """Samples by index, in an order of our own, which is three times faster than its loader."""
    # Data sets of pictures, which nobody asks for here, import torchvision, whose wheel does not
    # run beside every build of torch.
    sys.modules.setdefault("streaming.vision", ModuleType("streaming.vision"))
    library = find("streaming")
    if library is None:
        return None
    with library.MDSWriter(
        out=str(folder / "mds"), columns={"sample": "bytes"}, size_limit=CHUNK
    ) as writer:
        for sample in _samples(data):
            writer.write({"sample": sample})
    source = library.StreamingDataset(local=str(folder / "mds"), batch_size=batch)
    floats = _floats(batch)

    def task(number: int) -> int:
        orders = _orders(len(source), batch, number)
        return _total(
            floats(_join(source[i]["sample"] for i in order.tolist())) for order in orders
        )

    return task


def by_litdata(data: DataSet, folder: Path, batch: int) -> Task | None:
    """Its streaming loader, shuffling; forty times faster than by index."""
    library = find("litdata")
    if library is None:
        return None
    library.optimize(
        bytes, _samples(data), str(folder / "lit"), chunk_bytes=CHUNK, num_workers=1, verbose=False
    )
    source = library.StreamingDataset(str(folder / "lit"), shuffle=True)
    floats = _floats(batch)

    def collate(samples: list[bytes]) -> Tensor:
        return floats(_join(samples))

    def task(number: int) -> int:
        loader = library.StreamingDataLoader
        return _total(loader(source, batch_size=batch, num_workers=0, collate_fn=collate))

    return task


def by_datasets(data: DataSet, folder: Path, batch: int) -> Task | None:
    """Arrow, memory-mapped: a binary column, batches by their indices, as one Arrow buffer."""
    library = find("datasets")
    if library is None:
        return None
    library.disable_progress_bars()
    library.Dataset.from_dict({"sample": _samples(data)}).save_to_disk(str(folder / "arrow"))
    source = library.load_from_disk(str(folder / "arrow")).with_format("arrow")
    floats = _floats(batch)

    def rows(order: np.ndarray) -> np.ndarray:
        column = source[order]["sample"].combine_chunks()
        return np.frombuffer(column.buffers()[2], np.uint8, batch * SAMPLE)

    def task(number: int) -> int:
        return _total(floats(rows(order)) for order in _orders(len(source), batch, number))

    return task


def _samples(data: DataSet) -> list[bytes]:
    images, digits = data.gather("train", np.arange(data.count("train")))
    flat = images.reshape(len(images), -1)
    return [row.tobytes() for row in np.concatenate([flat, digits.view(np.uint8)], axis=1)]


def _orders(count: int, batch: int, number: int) -> np.ndarray:
    return np.random.default_rng(number + 1).permutation(count).reshape(-1, batch)


def _join(samples: Iterable[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(samples), np.uint8)


def _floats(batch: int) -> Callable[[np.ndarray], Tensor]:
    """From the bytes of a batch of samples to float32 (b, 1, 32, 128), in the same memory."""
    floats = np.empty((batch, 1, HEIGHT, WIDTH), np.float32)

    def convert(samples: np.ndarray) -> Tensor:
        rows = samples.reshape(-1, SAMPLE)
        part = floats[: len(rows)]
        part[...] = rows[:, :PIXELS].reshape(part.shape)
        part *= np.float32(1 / 255)
        return torch.from_numpy(part)

    return convert


def _as_tensor(batch: tuple[np.ndarray, list[str]]) -> tuple[Tensor, list[str]]:
    images, labels = batch
    return torch.from_numpy(images)[:, None].float().div_(255), labels


def _total(batches: Iterable[Tensor]) -> int:
    return sum(len(batch) for batch in batches)
