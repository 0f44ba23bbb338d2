"""Random numbers by counter: sample i depends on (seed, i) alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

# Philox4x64 gives four 64-bit words for each step of its counter.
WORDS_PER_STEP = 4
MAX_SEED = 2**63 - 1  # of a data set
# Bits above a seed's, so that each kind of draws has a stream of its own; the pen model's numbers
# take 1 to 3, its hands the highest.
PAPER, DOODLES, MARKS, STRAYS, RULES, SCANS = (stream << 64 for stream in range(16, 22))
Samples = npt.NDArray[np.int64]


def uniforms(seed: int, start: int, count: int, draws: int) -> npt.NDArray[np.float64]:
    """Uniform numbers for samples `start` to `start + count`.

    Row r is a function of (`seed`, `start + r`, `draws`) alone: each sample owns a fixed stretch of
    the Philox counter (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), so any
    order, any split of the range and any number of workers give the same rows.

    Args:
        seed: The stream, 0 to 2**128 - 1.
        start: First sample, at least 0.
        count: How many samples.
        draws: Numbers per sample, a multiple of 4.

    Returns:
        float64 (count, draws) in [0, 1).
    """
    step = start * _steps(draws, WORDS_PER_STEP)
    generator = np.random.Generator(np.random.Philox(key=seed, counter=step))
    return generator.random((count, draws))


def coarse_uniforms(seed: int, start: int, count: int, draws: int) -> npt.NDArray[np.float32]:
    """The same in single precision, two for a word, so at half the cost; other numbers.

    Args:
        seed: As in `uniforms`.
        start: First sample, at least 0.
        count: How many samples.
        draws: Numbers per sample, a multiple of 8.

    Returns:
        float32 (count, draws), whole 1/2**24 in [0, 1).
    """
    step = start * _steps(draws, 2 * WORDS_PER_STEP)
    generator = np.random.Generator(np.random.Philox(key=seed, counter=step))
    return generator.random((count, draws), dtype=np.float32)


def uniforms_of(key: int, samples: Samples, draws: int) -> npt.NDArray[np.float64]:
    """Uniform numbers for samples that need not be neighbours: rows of `uniforms`.

    Args:
        key: The stream, as the seed of `uniforms`.
        samples: int64 (n,), at least 0, in any order.
        draws: Numbers per sample, a multiple of 4.

    Returns:
        float64 (n, draws) in [0, 1).
    """
    return _fill(key, samples, WORDS_PER_STEP, np.empty((len(samples), draws)))


def coarse_uniforms_of(key: int, samples: Samples, draws: int) -> npt.NDArray[np.float32]:
    """The same in single precision: rows of `coarse_uniforms`.

    Args:
        key: The stream, as in `uniforms_of`.
        samples: int64 (n,), likewise.
        draws: Numbers per sample, a multiple of 8.

    Returns:
        float32 (n, draws), whole 1/2**24 in [0, 1).
    """
    return _fill(key, samples, 2 * WORDS_PER_STEP, np.empty((len(samples), draws), np.float32))


def _steps(draws: int, per_step: int) -> int:
    """Steps of the counter for so many numbers."""
    if draws % per_step:
        raise ValueError(f"draws is {draws}, which is not a multiple of {per_step}")
    return draws // per_step


def _fill(key: int, samples: Samples, per_step: int, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Fill a row for each of `samples` by its own stretch of the counter."""
    steps = _steps(rows.shape[1], per_step)
    words = np.random.Philox(key=key)
    generator = np.random.Generator(words)
    next_sample = 0
    for row, sample in zip(rows, samples.tolist(), strict=True):
        words.advance((sample - next_sample) * steps % 2**256)
        generator.random(out=row, dtype=rows.dtype)
        next_sample = sample + 1
    return rows
