"""Connectionist temporal classification: the loss, and greedy decoding (arXiv 1507.05717, 2.3)."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shards.labels import MAX_DIGITS

BLANK = 0
_IMPOSSIBLE = 5e2  # a loss above this went through a step that the ink mask forbids
_STATES = 2 * MAX_DIGITS + 1  # a blank before each digit and after the last


def ctc_loss(logits: Tensor, digits: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean loss over samples, in nats per number, a float32 scalar.

    `logits` is (b, T, classes), `digits` int8 (b, 5), -1 where absent. A label that needs more
    steps than its ink has (equal neighbours want a blank between them) counts as 0: there is
    nothing to learn from. `weights`, float64 (b,), multiply each sample's loss.

    The same operations on every device, in the same order each time. torch's own loss on CUDA adds
    up its gradient in any order, and makes the host wait for the device.
    """
    loss: Tensor = _Loss.apply(logits, digits, weights)  # type: ignore[no-untyped-call]
    return loss


def likelihood(logits: Tensor, digits: Tensor) -> Tensor:
    """Probability that each image shows exactly its label, float64 (b,); shapes as in `ctc_loss`.

    What `trainer.likelihood` computes in plain NumPy.
    """
    probability = _probability(logits)
    return _path_sums(probability, _state_classes(digits), digits)[0].sum(dim=0)


class _Loss(torch.autograd.Function):
    """The forward-backward algorithm (Graves et al., ICML 2006, sections 4.1 and 4.2).

    In probabilities of float64 rather than logarithms: the least that counts is e**-500.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, digits: Tensor, weights: Tensor | None) -> Tensor:
        """Compute the loss, and with it the gradient: probability less share of the label's paths.

        Samples lie in the last dimension, so that each operation runs along memory.
        """
        gradient = _probability(logits)
        classes = _state_classes(digits)
        paths = _path_sums(gradient, classes, digits)
        likelihood = paths[0].sum(dim=0)
        losses = -likelihood.log()
        impossible = losses > _IMPOSSIBLE
        own = torch.arange(gradient.shape[1], device=digits.device)[:, None]
        for state in range(_STATES):
            share = (classes[state] == own) / likelihood
            gradient.addcmul_(share, paths[:, state, None], value=-1)
        gradient.masked_fill_(impossible, 0)
        losses = losses.masked_fill(impossible, 0)
        if weights is not None:
            gradient *= weights
            losses = losses * weights
        ctx.save_for_backward((gradient / len(digits)).permute(2, 0, 1).to(logits.dtype))
        return losses.mean().to(logits.dtype)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None, None]:
        """Scale the gradient."""
        return ctx.saved_tensors[0] * outer, None, None


def _probability(logits: Tensor) -> Tensor:
    """Float64 (T, classes, b) of logits (b, T, classes)."""
    return logits.permute(1, 2, 0).double().contiguous().softmax(dim=1)


def _state_classes(digits: Tensor) -> Tensor:
    """Int64 (11, b), the class that each state emits; a blank for those past the label's end."""
    classes = torch.zeros(_STATES, len(digits), dtype=torch.int64, device=digits.device)
    classes[1::2] = (digits.T.long() + 1).clamp(min=BLANK)
    return classes


def _path_sums(probability: Tensor, classes: Tensor, digits: Tensor) -> Tensor:
    """Probability of all paths of the label that are in a state at a step, float64 (T, 11, b).

    `probability` is float64 (T, classes, b), `classes` what `_state_classes` made of `digits`.
    """
    emitted = probability.gather(1, classes.expand(len(probability), -1, -1))
    lengths = (digits >= 0).sum(dim=1)
    place = torch.arange(_STATES, device=emitted.device)[:, None]
    first = (place < 2).expand_as(emitted[0])
    last = (place == 2 * lengths) | (place == 2 * lengths - 1)
    leaps = (classes[2:] != classes[:-2]) & (classes[2:] != BLANK)
    # The paths from the end are those from the beginning with time and states reversed.
    arrived = _arrive(
        torch.cat([emitted, emitted.flip(0, 1)], dim=2),
        torch.cat([first, last.flip(0)], dim=1).double(),
        torch.cat([leaps, leaps.flip(0)], dim=1).double(),
    )
    forwards, backwards = arrived.chunk(2, dim=2)
    return forwards * emitted * backwards.flip(0, 1)


def _arrive(emitted: Tensor, start: Tensor, leaps: Tensor) -> Tensor:
    """Probability of all paths up to a state, what that step emits left out, float64 (T, 11, n).

    Paths begin where `start`, float64 (11, n), is 1. A path stays, goes on to the next state, or
    leaps over one where `leaps`, float64 (9, n), is 1.
    """
    arrived = torch.empty_like(emitted)
    arrived[0] = start
    left = emitted.new_zeros(len(start) + 2, start.shape[1])  # two states that no path is in, first
    here, before, two_before = left[2:], left[1:-1], left[2:-2]
    steps, emits = arrived.unbind(), emitted.unbind()
    for now, emit, after in zip(steps[:-1], emits[:-1], steps[1:], strict=True):
        torch.mul(now, emit, out=here)
        torch.add(here, before, out=after)
        after[2:].addcmul_(leaps, two_before)
    return arrived


@dataclass(frozen=True)
class Decoded:
    """What was read from n images."""

    digits: NDArray[
        np.int8
    ]  # (n, 5), left to right, -1 where absent; the first 5 if more were read
    count: NDArray[np.int64]  # (n,), how many digits were read; may be over 5
    digit_confidences: NDArray[np.float32]  # (n, 5), 0 where absent
    confidence: NDArray[np.float32]  # (n,), the digits' probabilities, multiplied; 0 unless 1 to 5

    @classmethod
    def join(cls, parts: "list[Decoded]") -> "Decoded":
        """Put batches together, in order."""
        names = (field.name for field in fields(cls))
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})

    def equals(self, digits: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Which of the numbers are exactly these labels, int8 (n, 5)."""
        exact: NDArray[np.bool_] = (self.digits == digits).all(axis=1)
        return exact & (self.count <= MAX_DIGITS)


def greedy_decode(logits: NDArray[np.float32]) -> Decoded:
    """Best class of each step, repeats merged, blanks dropped; `logits` is float32 (n, T, classes).

    A digit's confidence is its highest probability over the steps that were merged into it; the
    number's is their product. Of what is known without a second look at the image, it tells best
    whether the whole number is right (LOG.md has the others).
    """
    best = logits.argmax(axis=2)
    probability = 1 / np.exp(logits - logits.max(axis=2, keepdims=True)).sum(axis=2)
    before = np.pad(best, ((0, 0), (1, 0)))[:, :-1]
    emits = (best != BLANK) & (best != before)
    position = emits.cumsum(axis=1) - 1
    count = emits.sum(axis=1)

    digits = np.full((len(logits), MAX_DIGITS), -1, np.int8)
    row, step = np.nonzero(emits & (position < MAX_DIGITS))
    digits[row, position[row, step]] = best[row, step] - 1

    confidences = np.zeros((len(logits), MAX_DIGITS), np.float32)
    row, step = np.nonzero((best != BLANK) & (position < MAX_DIGITS))
    np.maximum.at(confidences, (row, position[row, step]), probability[row, step])
    product = np.where(digits >= 0, confidences, 1).prod(axis=1)
    readable = (count > 0) & (count <= MAX_DIGITS)
    return Decoded(digits, count, confidences, np.where(readable, product, 0).astype(np.float32))
