"""What the steps of an epoch did: their losses, read late, and their speed."""

import time
from math import isfinite, nan
from statistics import fmean

import torch
from torch import Tensor


class Meter:
    """Losses of the steps of one epoch, and how fast they went.

    A loss stays on the device until `read`: whoever reads it at once waits for the device, which
    then waits for the next step.
    """

    def __init__(self, batch: int, losses: list[float]) -> None:
        """`losses` are of the epoch's steps before a resume; those that are read go there, too."""
        self._batch = batch
        self._unread: list[Tensor] = []
        self._losses = losses
        self._before = len(losses)
        self._began = time.monotonic()

    def add(self, loss: Tensor) -> None:
        """Note a step's loss, a scalar on the device."""
        self._unread.append(loss)

    def read(self) -> list[float]:
        """Wait for the device; return the losses of the steps since it was last called."""
        new: list[float] = torch.stack(self._unread).tolist() if self._unread else []
        self._unread.clear()
        self._losses += new
        return new

    def recent(self, steps: int) -> float:
        """Return the mean loss of the last `steps` steps that were read, skipped ones left out."""
        return _mean(self._losses[-steps:])

    def mean(self) -> float:
        """Return the mean loss of all steps that were read, skipped ones left out."""
        return _mean(self._losses)

    def speed(self) -> float:
        """Return images per second, of the steps that were read here."""
        return (len(self._losses) - self._before) * self._batch / (time.monotonic() - self._began)


def _mean(losses: list[float]) -> float:
    finite = [loss for loss in losses if isfinite(loss)]
    return fmean(finite) if finite else nan
