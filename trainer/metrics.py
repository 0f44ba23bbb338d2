"""How well numbers were read: exact numbers, edit distance, confusions, calibration."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from trainer.ctc import Decoded

_Z = 1.959964  # of a 95 % interval
_BINS = 15  # of a calibration
COVERAGE = 0.95  # share of the numbers that is kept, the surest


@dataclass(frozen=True)
class Rate:
    """A share of `count` trials with its 95 % Wilson interval."""

    count: int
    share: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.share:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Calibration:
    """Whether confidence means what it says.

    `error` is the expected calibration error (Guo et al. 2017, arXiv 1706.04599, eq. 3): the mean
    distance of `confidence` and `right`, of 15 bins of equally many numbers, the least sure first.
    `covered` is what is right of the surest 95 %, all of which lie at or above `threshold`.
    """

    error: float
    confidence: list[float]
    right: list[float]
    covered: Rate
    threshold: float


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
    calibration: Calibration


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
        calibration=calibration(read.confidence, right),
    )


def calibration(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> Calibration:
    """Compare confidences (n,), 0..1, with what is right, bool (n,); n is at least 1."""
    surest_last = np.argsort(confidence, kind="stable")
    bins = np.array_split(surest_last, min(_BINS, len(right)))
    sure = [float(confidence[rows].mean(dtype=np.float64)) for rows in bins]
    share = [float(right[rows].mean()) for rows in bins]
    gaps = np.abs(np.subtract(sure, share))
    kept = surest_last[len(right) - ceil(COVERAGE * len(right)) :]
    return Calibration(
        error=float(np.average(gaps, weights=[len(rows) for rows in bins])),
        confidence=sure,
        right=share,
        covered=rate(right[kept]),
        threshold=float(confidence[kept[0]]),
    )


def side_by_side(before: Evaluation, after: Evaluation) -> list[list[str]]:
    """Tabulate two evaluations of the same numbers, in all and per length.

    A row is what is counted, n, and the exact numbers of each, like 0.9769.
    """
    counted = {"numbers": (before.exact, after.exact)}
    for length, rate_before in before.by_length.items():
        counted[f"of length {length}"] = rate_before, after.by_length[length]
    return [
        [name, f"{a.count:,}", f"{a.share:.4f}", f"{b.share:.4f}"]
        for name, (a, b) in counted.items()
    ]


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
