"""Batches from shards: exact global shuffle, one thread ahead, resumable from (epoch, step)."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shards.errors import UserError
from shards.reader import DataSet

_AHEAD = 3  # batches gathered while one trains
_PATIENCE = 900.0  # seconds without a new shard until the build beside counts as dead


@dataclass(frozen=True)
class Batch:
    """Samples on the device: images uint8 (b, 1, 32, 128), digits int8 (b, 5), -1 where absent."""

    images: Tensor
    digits: Tensor


Gather = Callable[[np.ndarray], Batch]


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
                "choose --batch between 1 and the images of an epoch"
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
    """Gather each batch from the memory-mapped shards."""

    def gather(indices: np.ndarray) -> Batch:
        images, digits = (torch.from_numpy(array) for array in data.gather(split, indices))
        if device.type == "cuda":
            images, digits = images.pin_memory(), digits.pin_memory()
        return Batch(
            images[:, None].to(device, non_blocking=True), digits.to(device, non_blocking=True)
        )

    return gather


def from_device(data: DataSet, split: str, device: torch.device) -> Gather:
    """Copy the whole split to the device once, then gather there."""
    chunks = np.array_split(np.arange(data.count(split)), data.count(split) // 65_536 + 1)
    load = from_shards(data, split, device)
    parts = [load(chunk) for chunk in chunks]
    images, digits = torch.cat([p.images for p in parts]), torch.cat([p.digits for p in parts])

    def gather(indices: np.ndarray) -> Batch:
        rows = torch.from_numpy(indices).to(device, non_blocking=True)
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


def stream(gather: Gather, indices: np.ndarray) -> Iterator[Batch]:
    """One batch per row of `indices`, int64 (steps, b), gathered on a thread ahead of its use."""
    pending: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(1, "gather") as pool:
        for row in indices:
            pending.append(pool.submit(gather, row))
            if len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


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
