"""How alike digits are: histograms of their edges' directions, and who is nearest to whom."""

import cv2
import numpy as np
import numpy.typing as npt

from generator.glyph import SIZE

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

DIRECTIONS = 8
CELL = 8  # px of the frame, a side
BLUR = 1.0  # px
NEAREST = 3
BLOCK = 512
ALIKE, GREY = 0.998, 3.0  # cosine at least, levels of 255 at most, of pictures that are the same


def describe(glyphs: U8) -> F32:
    """Describe digits by histograms of oriented gradients (Dalal and Triggs, 2005).

    Args:
        glyphs: uint8 (n, 56, 56), white ink on black.

    Returns:
        float32 (n, 392), of length 1: 8 directions in each of 7 x 7 cells, square roots.
    """
    parts = [_describe(glyphs[i : i + BLOCK]) for i in range(0, len(glyphs), BLOCK)]
    return np.concatenate(parts)


def _describe(glyphs: U8) -> F32:
    smooth = np.stack([cv2.GaussianBlur(g, (0, 0), BLUR) for g in glyphs.astype(np.float32)])
    x, y = np.zeros_like(smooth), np.zeros_like(smooth)
    x[:, :, 1:-1] = smooth[:, :, 2:] - smooth[:, :, :-2]
    y[:, 1:-1] = smooth[:, 2:] - smooth[:, :-2]
    strength = np.hypot(x, y)
    turn = np.arctan2(y, x) * (DIRECTIONS / (2 * np.pi)) % DIRECTIONS
    cells = SIZE // CELL
    bins = np.empty((len(glyphs), DIRECTIONS, cells, cells), np.float32)
    for k in range(DIRECTIONS):
        away = np.abs(turn - k)
        share = np.maximum(1 - np.minimum(away, DIRECTIONS - away), 0)  # linear between directions
        tiles = (strength * share).reshape(-1, cells, CELL, cells, CELL)
        bins[:, k] = tiles.mean(axis=(2, 4))
    flat = np.sqrt(bins.reshape(len(glyphs), -1))
    return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True))


def distances(some: F32, writers: I64, others: F32, labels: U8, their_writers: I64) -> F32:
    """How far each digit is from each class: mean distance to the 3 nearest by other writers.

    Args:
        some: float32 (n, 392), what is asked about.
        writers: int64 (n,), their writers' numbers.
        others: float32 (m, 392), of known labels.
        labels: uint8 (m,), 0 to 9.
        their_writers: int64 (m,), numbers of the same kind.

    Returns:
        float32 (n, 10), 0 to 2; 2 for a class without enough digits of other writers.
    """
    found = np.empty((len(some), 10), np.float32)
    columns = [np.flatnonzero(labels == digit) for digit in range(10)]
    for start in range(0, len(some), BLOCK):
        block = slice(start, start + BLOCK)
        alike = some[block] @ others.T
        alike[writers[block, None] == their_writers] = -1
        for digit, of_class in enumerate(columns):
            if len(of_class) < NEAREST:
                found[block, digit] = 2
                continue
            nearest = np.partition(alike[:, of_class], -NEAREST, axis=1)[:, -NEAREST:]
            found[block, digit] = np.sqrt(np.maximum(2 - 2 * nearest, 0)).mean(axis=1)
    return found


def twins(described: F32, glyphs: U8) -> dict[int, int]:
    """Which digits are the same picture as an earlier one: {row: the first of them}.

    Two are the same when their descriptions' cosine is at least `ALIKE`, and their pixels differ
    by `GREY` of 255 on average at most: as when one file is saved twice, or at another size.
    """
    first: dict[int, int] = {}
    for start in range(0, len(described), BLOCK):
        near = described[start : start + BLOCK] @ described[: start + BLOCK].T >= ALIKE
        for row, earlier in zip(*(i.tolist() for i in np.nonzero(near)), strict=True):
            later = start + row
            if earlier < later and later not in first and earlier not in first:
                difference = np.abs(glyphs[later].astype(np.int16) - glyphs[earlier]).mean()
                if difference <= GREY:
                    first[later] = earlier
    return first
