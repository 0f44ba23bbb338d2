"""Random numbers by counter: sample i depends on (seed, i) alone."""

import numpy as np
import numpy.typing as npt

# Philox4x64 gives four 64-bit words for each step of its counter.
WORDS_PER_STEP = 4


def uniforms(seed: int, start: int, count: int, draws: int) -> npt.NDArray[np.float64]:
    """Uniform numbers for samples `start` to `start + count`.

    Row r is a function of (`seed`, `start + r`, `draws`) alone: each sample owns a fixed stretch of
    the Philox counter (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), so any
    order, any split of the range and any number of workers give the same rows.

    Args:
        seed: The stream, 0 to 2**64 - 1.
        start: First sample, at least 0.
        count: How many samples.
        draws: Numbers per sample, a multiple of 4.

    Returns:
        float64 (count, draws) in [0, 1).
    """
    if draws % WORDS_PER_STEP:
        raise ValueError(f"draws is {draws}, which is not a multiple of {WORDS_PER_STEP}")
    step = start * (draws // WORDS_PER_STEP)
    generator = np.random.Generator(np.random.Philox(key=seed, counter=step))
    return generator.random((count, draws))


def uniforms_of(key: int, samples: npt.NDArray[np.int64], draws: int) -> npt.NDArray[np.float64]:
    """Uniform numbers for samples that need not be neighbours: rows of `uniforms`.

    Args:
        key: The stream, 0 to 2**128 - 1; up to 2**64 - 1 it is a seed of `uniforms`.
        samples: int64 (n,), at least 0, in any order.
        draws: Numbers per sample, a multiple of 4.

    Returns:
        float64 (n, draws) in [0, 1).
    """
    if draws % WORDS_PER_STEP:
        raise ValueError(f"draws is {draws}, which is not a multiple of {WORDS_PER_STEP}")
    words = np.random.Philox(key=key)
    generator = np.random.Generator(words)
    rows = np.empty((len(samples), draws))
    next_sample = 0
    for row, sample in zip(rows, samples.tolist(), strict=True):
        words.advance((sample - next_sample) * (draws // WORDS_PER_STEP) % 2**256)
        generator.random(out=row)
        next_sample = sample + 1
    return rows
