"""Batches from shards: exact global shuffle, one thread ahead, resumable from (epoch, step)."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shards.canvas import HEIGHT, WIDTH
from shards.errors import UserError
from shards.reader import DataSet

_AHEAD = 3  # batches gathered while one trains
_PATIENCE = 900.0  # seconds without a new shard until the build beside counts as dead


@dataclass(frozen=True)
class Batch:
    """Samples on the device: images uint8 (b, 1, 32, 128), digits int8 (b, 5), -1 where absent.

    Weights, float64 (b,), multiply their losses; None for 1.
    """

    images: Tensor
    digits: Tensor
    weights: Tensor | None = None


Gather = Callable[[np.ndarray], Batch]
Arriving = tuple[Batch, torch.cuda.Event | None]  # the event: when it is there


def to_input(images: Tensor) -> Tensor:
    """Uint8 (b, 1, 32, 128) to what the models read: float32 in 0..1, channels last."""
    return images.float().div_(255).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Order:
    """Which samples each step sees: epoch e shuffles block e of the split.

    The split holds `count` samples and a block `epoch_images` of them; blocks wrap round when the
    split is used up. Depends on nothing but these numbers.
    """

    count: int
    epoch_images: int
    batch: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= self.epoch_images:
            raise UserError(
                f"a batch of {self.batch} does not fit in epochs of {self.epoch_images} images; "
                "choose --batch between 1 and the images of an epoch (with a --judge it is "
                "--candidates times as many)"
            )

    @property
    def steps(self) -> int:
        """Full batches in an epoch; what is left over after them is not seen in that epoch."""
        return self.epoch_images // self.batch

    def indices(self, epoch: int) -> np.ndarray:
        """Int64 (steps, batch) of samples within the split."""
        random = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
        shuffled = random.permutation(self.epoch_images)[: self.steps * self.batch]
        within: np.ndarray = (epoch * self.epoch_images + shuffled) % self.count
        return within.reshape(self.steps, self.batch)


def from_shards(data: DataSet, split: str, device: torch.device) -> Gather:
    """Gather each batch from the memory-mapped shards, for CUDA straight into pinned memory.

    Torch keeps that memory and gives it out again when its copy to the device is done.
    """
    pinned = device.type == "cuda"

    def gather(indices: np.ndarray) -> Batch:
        images = torch.empty(len(indices), HEIGHT, WIDTH, dtype=torch.uint8, pin_memory=pinned)
        _, digits = data.gather(split, indices, images.numpy())
        return Batch(images[:, None].to(device, non_blocking=True), _send(digits, device))

    return gather


def _send(array: np.ndarray, device: torch.device) -> Tensor:
    """Copy to the device without waiting for it."""
    tensor = torch.from_numpy(array)
    return (tensor.pin_memory() if device.type == "cuda" else tensor).to(device, non_blocking=True)


def from_device(data: DataSet, split: str, device: torch.device) -> Gather:
    """Copy the whole split to the device once, then gather there."""
    chunks = np.array_split(np.arange(data.count(split)), data.count(split) // 8_192 + 1)
    load = from_shards(data, split, device)
    parts = [load(chunk) for chunk in chunks]
    images, digits = torch.cat([p.images for p in parts]), torch.cat([p.digits for p in parts])

    def gather(indices: np.ndarray) -> Batch:
        rows = _send(indices, device)
        return Batch(images[rows], digits[rows])

    return gather


def best_gather(data: DataSet, split: str, device: torch.device, seen: int) -> Gather:
    """From the device when the split is complete, fits in half its memory and is seen again.

    `seen` is how many samples the whole run asks for.
    """
    count = data.count(split)
    if device.type != "cuda" or seen <= count or data.ready(split) < count:
        return from_shards(data, split, device)
    free, _ = torch.cuda.mem_get_info(device)
    source = from_device if 2 * count * 4096 < free / 2 else from_shards  # twice while it is joined
    return source(data, split, device)


def stream(
    gather: Gather, indices: np.ndarray, device: torch.device = torch.device("cpu")
) -> Iterator[Batch]:
    """One batch per row of `indices`, int64 (steps, b), gathered on a thread ahead of its use.

    On a CUDA `device` what the thread does runs on a CUDA stream of its own, beside the training.
    """
    beside = _stream_after_this_one(device) if device.type == "cuda" else None
    pending: deque[Future[Arriving]] = deque()

    def begin(row: np.ndarray) -> Arriving:
        if beside is None:
            return gather(row), None
        with torch.cuda.stream(beside):
            return gather(row), beside.record_event()

    with ThreadPoolExecutor(1, "gather") as pool:
        for row in indices:
            pending.append(pool.submit(begin, row))
            if len(pending) > _AHEAD:
                yield _arrived(*pending.popleft().result())
        while pending:
            yield _arrived(*pending.popleft().result())


def _stream_after_this_one(device: torch.device) -> torch.cuda.Stream:
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(device))
    return stream


def _arrived(batch: Batch, ready: torch.cuda.Event | None) -> Batch:
    """Let the device, not the host, wait until a batch is there."""
    if ready:
        here = torch.cuda.current_stream(batch.images.device)
        here.wait_event(ready)
        for tensor in (batch.images, batch.digits):
            tensor.record_stream(here)  # its memory is free for others when this stream is done
    return batch


def wait_until_ready(data: DataSet, split: str, stop: int) -> None:
    """Return once the first `stop` samples are on disk; a build beside may be writing them.

    Raises UserError when no new shard has come for 15 minutes.
    """
    ready, since = data.ready(split), time.monotonic()
    if ready < stop:
        print(f"waiting for the build: {split} has {ready:,} of the {stop:,} images wanted now")
    while ready < stop:
        time.sleep(1)
        if (now := data.ready(split)) > ready:
            ready, since = now, time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            raise UserError(
                f"split {split!r} has had {ready} of the {stop} images wanted for 15 minutes; "
                "is the build still running? Start it again, then use --resume"
            )
