"""Batches of what is hard to read, chosen from more: importance sampling by a trained reader."""

import torch
from torch import Tensor

from trainer.ctc import likelihood
from trainer.data import Batch, to_input
from trainer.device import autocast
from trainer.models import Reader
from trainer.trim import best_parts, by_width

# A number that the judge is certain to read right is drawn this often, for once that one is which
# it is certain to read wrong: the network that learns may think otherwise.
_LEAST = 0.03


class Focus:
    """Draws a batch from `candidates` times as many numbers, the more likely the harder they are.

    How hard is what a judge, a reader that is trained already, thinks: 1 less the probability that
    it gives to the label. Weights make up for it, so that the expected gradient is that of all the
    candidates; it only varies less, since most numbers teach next to nothing (importance sampling:
    Katharopoulos and Fleuret, ICML 2018).
    """

    def __init__(self, judge: Reader, candidates: int, precision: torch.dtype) -> None:
        self._judge = judge.eval().requires_grad_(False)
        self._device = next(judge.parameters()).device
        self._candidates = candidates
        self._precision = precision
        self._parts = best_parts(judge)
        if self._parts > 1:
            self._parts *= candidates

    def __call__(self, batch: Batch) -> Batch:
        """Draw `1 / candidates` of the samples, with weights whose mean is about 1, float64 (b,).

        By the generator of torch, which a checkpoint keeps; nothing here waits for the device.
        """
        count = len(batch.digits) // self._candidates
        chances = inclusion(self.scores(batch), count)
        rows = systematic(chances, count, torch.rand((), dtype=torch.float64))
        weights = count / len(batch.digits) / chances[rows]
        return Batch(batch.images[rows], batch.digits[rows], weights)

    def scores(self, batch: Batch) -> Tensor:
        """How hard each sample is, float64 (b,), from `_LEAST` to 1 more."""
        scores = torch.empty(len(batch.digits), dtype=torch.float64, device=self._device)
        for rows, images in by_width(batch.images, self._parts):
            with torch.no_grad(), autocast(self._device, self._precision):
                logits = self._judge(to_input(images))
            scores[rows] = 1 - likelihood(logits, batch.digits[rows])
        return scores.nan_to_num(nan=1.0) + _LEAST


def inclusion(scores: Tensor, count: int) -> Tensor:
    """Chance of each of n samples to be among `count`: in proportion to its score, at most 1.

    `scores` is float64 (n,), above 0; so are the chances, which add up to `count`, less than n.
    """
    falling = scores.sort(descending=True).values
    rest = falling.flip(0).cumsum(0).flip(0)
    left = count - torch.arange(len(scores), device=scores.device)
    factors = left / rest  # of the rest, if all before are certain
    certain = (falling * factors > 1).sum()
    return (scores * factors.index_select(0, certain[None])).clamp(max=1)  # [] would wait for it


def systematic(chances: Tensor, count: int, start: Tensor) -> Tensor:
    """Draw `count` of the samples, each with its chance: int64 (count,), rising.

    `chances`, float64 (n,), add up to `count`; `start` is uniform in 0..1. Madow, 1949: a sample
    is drawn where a whole number plus `start` falls into its part of the sum.
    """
    marks = torch.arange(count, device=chances.device) + start
    return torch.searchsorted(chances.cumsum(0), marks, right=True).clamp(max=len(chances) - 1)
