"""What `trainer.check_graph` computes inside the ONNX file, in plain NumPy, step after step."""

import numpy as np
from numpy.typing import NDArray

from shards.labels import MAX_DIGITS
from trainer.check_graph import ASK_AGAIN, LEGIBLE, RIGHT, WRONG, Thresholds
from trainer.ctc import BLANK, greedy_decode


def answers(
    logits: NDArray[np.float32], expected: NDArray[np.int8], thresholds: Thresholds
) -> NDArray[np.float32]:
    """Answer as a checker does, float32 (n, 4): verdict, probability, that of the reading, value.

    `logits` is float32 (n, T, 11), `expected` int8 (n, 5), -1 where absent, of 1 digit or more.
    """
    read = greedy_decode(logits)
    is_read = (read.count > 0) & (read.count <= MAX_DIGITS)
    probability = likelihood(logits, expected)
    best = np.where(is_read, likelihood(logits, read.digits), 0)
    wrong = (best > LEGIBLE) & (probability <= thresholds.wrong_to)
    verdict = np.where(wrong, WRONG, ASK_AGAIN)
    verdict = np.where(probability >= thresholds.right_from, RIGHT, verdict)
    value = np.zeros(len(logits), np.int64)
    for digits in read.digits.T:
        value = np.where(digits >= 0, 10 * value + digits, value)
    columns = (verdict, probability, best, np.where(is_read, value, -1))
    return np.column_stack(columns).astype(np.float32)


def likelihood(logits: NDArray[np.float32], digits: NDArray[np.int8]) -> NDArray[np.float64]:
    """Probability that an image shows exactly these digits, float64 (n,), 0..1.

    That is the sum over all paths of the label (Graves et al., ICML 2006, eq. 3 to 8). `logits` is
    float32 (n, T, 11), `digits` int8 (n, 5), -1 where absent.
    """
    logits = logits.astype(np.float64)
    shares = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    classes = np.zeros((len(digits), 2 * digits.shape[1] + 1), np.int64)
    classes[:, 1::2] = np.maximum(digits.astype(np.int64) + 1, BLANK)
    leaps = np.zeros(classes.shape, np.bool_)
    leaps[:, 2:] = (classes[:, 2:] != classes[:, :-2]) & (classes[:, 2:] != BLANK)
    paths = np.zeros((len(digits), classes.shape[1] + 2))  # two states that no path is in, first
    paths[:, 2] = 1  # before the first step all are at the blank that comes before the digits
    for step in range(shares.shape[1]):
        emitted = np.take_along_axis(shares[:, step], classes, axis=1)
        arrived = paths[:, 2:] + paths[:, 1:-1] + leaps * paths[:, :-2]
        paths[:, 2:] = emitted * arrived
    end = 2 * (digits >= 0).sum(axis=1)
    rows = np.arange(len(digits))
    total: NDArray[np.float64] = paths[rows, end + 2] + paths[rows, end + 1]
    return total
