"""Connectionist temporal classification: the loss, and greedy decoding (arXiv 1507.05717, 2.3)."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from shards.labels import MAX_DIGITS

BLANK = 0
_IMPOSSIBLE = 5e2  # a loss above this went through a step that the ink mask forbids


def to_targets(digits: Tensor) -> tuple[Tensor, Tensor]:
    """Digits int8 (b, 5), -1 where absent, to CTC classes int64 (b, 5) and lengths int64 (b,)."""
    return (digits.long() + 1).clamp(min=0), (digits >= 0).sum(dim=1)


def ctc_loss(logits: Tensor, digits: Tensor) -> Tensor:
    """Return the mean loss over samples, in nats per number, a float32 scalar.

    `logits` is (b, T, classes), `digits` int8 (b, 5). A label that needs more steps than its ink
    has (equal neighbours want a blank between them) counts as 0: there is nothing to learn from.
    """
    targets, lengths = to_targets(digits)
    paths = logits.float().log_softmax(dim=2).transpose(0, 1)
    steps = torch.full_like(lengths, paths.shape[0])
    losses = functional.ctc_loss(
        paths, targets, steps, lengths, blank=BLANK, reduction="none", zero_infinity=True
    )
    return torch.where(losses > _IMPOSSIBLE, 0.0, losses).mean()


@dataclass(frozen=True)
class Decoded:
    """What was read from n images."""

    digits: NDArray[
        np.int8
    ]  # (n, 5), left to right, -1 where absent; the first 5 if more were read
    count: NDArray[np.int64]  # (n,), how many digits were read; may be over 5
    digit_confidences: NDArray[np.float32]  # (n, 5), 0 where absent
    confidence: NDArray[np.float32]  # (n,), the lowest probability of a digit; 0 without digits

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

    A digit's confidence is its highest probability over the steps that were merged into it.
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
    lowest = np.where(digits >= 0, confidences, 1).min(axis=1)
    return Decoded(digits, count, confidences, np.where(count > 0, lowest, 0).astype(np.float32))
