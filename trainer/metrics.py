"""How well numbers were read: exact numbers, edit distance, confusions. Plain NumPy."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from trainer.ctc import Decoded

_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Rate:
    """A share of `count` trials with its 95 % Wilson interval."""

    count: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """All figures of one evaluation.

    `by_length` is by the true number of digits; `digit_error_rate` is edits per true digit;
    `confusion[t][r]` counts the true digits t read as r, after alignment.
    """

    exact: Rate
    by_length: dict[int, Rate]
    digit_error_rate: float
    confusion: list[list[int]]


def rate(right: NDArray[np.bool_]) -> Rate:
    """Count what is right, bool (n,); n = 0 gives the interval 0..1."""
    n = len(right)
    if n == 0:
        return Rate(0, 0.0, 0.0, 1.0)
    share = float(right.mean())
    centre = share + _Z**2 / (2 * n)
    half = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    whole = 1 + _Z**2 / n
    return Rate(n, share, max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole))


def evaluate(read: Decoded, truth: NDArray[np.int8]) -> Evaluation:
    """Compare what was read with the true digits, int8 (n, 5), -1 where absent."""
    right = read.equals(truth)
    lengths = (truth >= 0).sum(axis=1)
    confusion = np.zeros((10, 10), np.int64)
    np.add.at(confusion, (truth[right][truth[right] >= 0],) * 2, 1)
    edits = 0
    for row in np.flatnonzero(~right):
        wanted, found = (digits[digits >= 0].tolist() for digits in (truth[row], read.digits[row]))
        distance, pairs = align(wanted, found)
        edits += distance + max(0, int(read.count[row]) - len(found))
        for pair in pairs:
            confusion[pair] += 1
    return Evaluation(
        exact=rate(right),
        by_length={n: rate(right[lengths == n]) for n in sorted(set(lengths.tolist()))},
        digit_error_rate=edits / max(1, int(lengths.sum())),
        confusion=confusion.tolist(),
    )


def align(wanted: list[int], found: list[int]) -> tuple[int, list[tuple[int, int]]]:
    """Return the edit distance and the pairs (wanted, found) of digits that lie opposite."""
    rows, columns = len(wanted) + 1, len(found) + 1
    cost = np.add.outer(np.arange(rows), np.arange(columns))
    for i in range(1, rows):
        for j in range(1, columns):
            swap = cost[i - 1, j - 1] + (wanted[i - 1] != found[j - 1])
            cost[i, j] = min(swap, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    pairs, i, j = [], rows - 1, columns - 1
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + (wanted[i - 1] != found[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((wanted[i], found[j]))
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(cost[-1, -1]), pairs[::-1]


def worst(read: Decoded, truth: NDArray[np.int8], most: int) -> NDArray[np.int64]:
    """Return the rows read wrongly, at most `most`, those of the highest confidence first."""
    wrong = np.flatnonzero(~read.equals(truth))
    return wrong[np.argsort(-read.confidence[wrong], kind="stable")][:most]
