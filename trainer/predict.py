"""Whatever reads numbers (a checkpoint, logits.onnx, reader.onnx) behind one function."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shards.labels import MAX_DIGITS
from shards.reader import DataSet
from shards.terminal import progress
from trainer.checkpoint import WEIGHTS, find_checkpoint, load_reader
from trainer.ctc import Decoded, greedy_decode
from trainer.data import to_input
from trainer.device import autocast
from trainer.memory import told_when_short
from trainer.models import Reader
from trainer.runtime import is_reader, open_session, run
from trainer.shipped import find_file

_BATCH = 256

Logits = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # (n, 32, 128) to (n, T, 11)
Read = Callable[[NDArray[np.uint8]], Decoded]  # (n, 32, 128) to what was read


def chunks(data: DataSet, split: str, count: int, size: int = _BATCH) -> Iterator[np.ndarray]:
    """Yield the indices of the first `count` samples of a split (at most all), `size` at a time.

    Raises UserError where the split has none.
    """
    data.require(split)
    stop = min(count, data.count(split))
    for start in range(0, stop, size):
        yield np.arange(start, min(start + size, stop))


def by_torch(model: Reader, device: torch.device, precision: torch.dtype = torch.float32) -> Logits:
    """Compute logits by a model in eval mode."""

    @torch.inference_mode()
    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        inputs = to_input(torch.from_numpy(images)[:, None].to(device))
        with told_when_short(), autocast(device, precision):
            logits: NDArray[np.float32] = model(inputs).float().cpu().numpy()
        return logits

    return predict


def by_onnx(path: Path) -> Read:
    """Read with a logits or reader file, in onnxruntime on one thread; UserError for others."""
    session = open_session(path)
    decode = from_readings if is_reader(session) else greedy_decode
    return lambda images: decode(run(session, images))


def from_readings(readings: NDArray[np.float32]) -> Decoded:
    """Unpack what a reader file puts out, float32 (n, 13)."""
    split = 3 + MAX_DIGITS
    return Decoded(
        digits=readings[:, 3:split].astype(np.int8),
        count=readings[:, 2].astype(np.int64),
        digit_confidences=readings[:, split:],
        confidence=readings[:, 1],
    )


def open_reader(path: Path, device: torch.device) -> Read:
    """Read with an .onnx file, a checkpoint, a run folder's best checkpoint, or what `ship` made.

    That is a folder with a reader.onnx, or the name of one that ships with the package.
    """
    run = find_checkpoint(path)
    file = path if run.is_file() and run.name != WEIGHTS else find_file(path)
    if file.suffix == ".onnx":
        return by_onnx(file)
    with told_when_short():
        logits = by_torch(load_reader(path, device)[0], device)
    return lambda images: greedy_decode(logits(images))


def read_split(
    read: Read, data: DataSet, split: str, count: int
) -> tuple[Decoded, NDArray[np.int8]]:
    """Read the first `count` samples of a split; also returns their true digits, int8 (n, 5)."""
    with progress("images") as bar:
        task = bar.add_task(f"reading {split}", total=min(count, data.count(split)))
        return read_quietly(read, data, split, count, lambda n: bar.advance(task, n))


def read_quietly(
    read: Read, data: DataSet, split: str, count: int, done: Callable[[int], object]
) -> tuple[Decoded, NDArray[np.int8]]:
    """Do what `read_split` does; `done` hears how many more samples have been read."""
    parts, truth = [], []
    for chunk in chunks(data, split, count):
        images, digits = data.gather(split, chunk)
        parts.append(read(images))
        truth.append(digits)
        done(len(chunk))
    return Decoded.join(parts), np.concatenate(truth)
