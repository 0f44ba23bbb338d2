"""Training by several processes, which torchrun starts: each takes its share of every batch.

A rank is one of them, and has a device of its own. All keep the same weights: gradients are added
up before each step, batch norms see the whole batch (`trainer.norms`), and whatever decides how
training goes on is the same number on every rank.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from shards.errors import UserError
from trainer.norms import join_norms

_PATIENCE = timedelta(hours=1)  # for a rank that does not answer, though its process lives


@dataclass(frozen=True)
class Ranks:
    """The rank of this process, of `count`; without torchrun it is the only one.

    The first writes and talks, the others are silent.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes and talks."""
        return self.rank == 0

    def part(self, rows: np.ndarray) -> np.ndarray:
        """Return this rank's samples of each batch, of int64 (steps, batch): (steps, its share).

        Shares differ by at most one sample. Together they are the batch, on any number of ranks.
        """
        return np.array_split(rows, self.count, axis=1)[self.rank]

    def check(self, batch: int, compiled: bool, judged: bool) -> None:
        """Raise UserError where not every rank has a share of a `batch`, or is to do it alone.

        `compiled` and `judged` are for one process only.
        """
        if batch < self.count:
            raise UserError(
                f"a batch of {batch} is too small for {self.count} ranks; start fewer by "
                "--nproc-per-node, or begin a run with a larger --batch"
            )
        for option, used in (("--compile", compiled), ("--judge", judged)):
            if used and self.count > 1:
                raise UserError(
                    f"{option} is for one process, not for {self.count} ranks; leave it out"
                )

    def network(self, model: nn.Module) -> nn.Module:
        """Return what a step calls for `model`: itself, or what adds its gradients up as well.

        The latter must be gone before `joined` ends: else the ranks' connections close with it, and
        torch then waits for a thread of theirs that waits for Python's lock.
        """
        return DistributedDataParallel(join_norms(model)) if dist.is_initialized() else model

    def weigh(self, loss: Tensor, share: float) -> Tensor:
        """Weigh a rank's mean loss, so that the ranks' mean is that of the whole batch.

        `share` is how much of the batch the rank has. The mean over ranks is what
        DistributedDataParallel takes of gradients, and `mean` of losses.
        """
        return loss if self.count == 1 else loss * (share * self.count)

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a tensor over the ranks, the same bits on each."""
        if self.count == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total / self.count

    def same(self, value: float) -> float:
        """Return the first rank's `value`, of something that each has measured by itself."""
        if self.count == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(told, 0)
        return told.item()

    def totals(self, *values: float) -> list[float]:
        """Return each of the numbers, added up over the ranks."""
        if self.count == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(told)
        return told.tolist()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Leave this block when all ranks have done it; if one raises UserError, all end.

        The lowest rank that raises it tells.
        """
        fault = None
        try:
            yield
        except UserError as error:
            fault = error
        failed = torch.tensor(self.rank if fault else self.count)
        if self.count > 1:
            with told_when_lost(self):
                dist.all_reduce(failed, dist.ReduceOp.MIN)
        if fault and failed == self.rank:
            raise fault
        if failed < self.count:
            sys.exit(1)


ALONE = Ranks()


class LostRankError(UserError):
    """Another rank has ended."""


def local_rank() -> int | None:
    """Return which of this machine's ranks this process is; None where torchrun started none."""
    return int(os.environ["LOCAL_RANK"]) if "LOCAL_RANK" in os.environ else None


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Join the processes that torchrun has started, if it has; they talk by NCCL or gloo."""
    if local_rank() is None:
        yield ALONE
        return
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"  # by gloo, what the hosts tell without waiting for devices
    dist.init_process_group(backend, timeout=_PATIENCE)
    ranks = Ranks(dist.get_rank(), dist.get_world_size())
    if not ranks.first:
        _be_silent()
    yield ranks
    ranks.totals(0)  # the others stay until the first has written all
    dist.destroy_process_group()


@contextmanager
def told_when_lost(ranks: Ranks) -> Iterator[None]:
    """End when another rank has, which has told why: the first by LostRankError, others silently.

    Where torchrun, which has seen it too, stops the first within a second, KeyboardInterrupt. An
    error of a later rank says of which.
    """
    try:
        yield
    except UserError as error:
        if ranks.first:
            raise
        raise UserError(f"rank {ranks.rank}: {error}") from error
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or "gloo" in str(error)):  # gloo has no class
            raise
        if not ranks.first:
            sys.exit(1)
        time.sleep(1)
        raise LostRankError("another rank has ended, and so does this one") from error


def _be_silent() -> None:
    """Print nothing but errors, and let signals end the process at once: it writes no files."""
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
