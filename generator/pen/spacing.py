"""Digits set side by side into numbers, as close as a hand sets them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from generator.pen.batch import Strokes
from shards.labels import MAX_DIGITS

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

# Profiles: how far ink reaches to the left and right, in bands of height from _TOP down.
_BANDS, _BAND, _TOP = 20, 0.125, -1.7
_FAR = 1e3  # where there is no ink
# Least distance of the lines of neighbours, in pens and digit heights: they may touch and cross a
# little, but bars stand free: with a 1 at its side, or with the stem of a 7 closing a 3, another
# digit may be read.
_LEAST, _LEAST_OF_BARS = (0.7, -0.06), (1.0, 0.08)


@dataclass(frozen=True)
class Line:
    """How n numbers stand on their lines; lengths in digit heights."""

    pen: F32  # (n,), its width
    kern: F32  # (n,), 0 keeps boxes apart, 1 ink
    size: F32  # (n, 5), factor on the height of each digit
    down: F32  # (n, 5), of each digit under the line
    gap: F32  # (n, 5), room between the ink of a digit and its left neighbour's


def set_digits(strokes: Strokes, owner: I64, place: I64, label: I64, line: Line) -> Strokes:
    """Scale d digits and move them to their places in their numbers, the first from x = 0.

    Args:
        strokes: Of the digits, as written.
        owner: int64 (d,), the number of each digit, sorted.
        place: int64 (d,), 0 on the left.
        label: int64 (d,), 0 to 9.
        line: How.
    """
    at, digit = (owner, place), strokes.owner
    size = line.size[at]
    x = strokes.x * size[digit]
    y = strokes.y * size[digit] + line.down[at][digit]
    hooks = strokes.hooks * size[strokes.digit, None, None]
    strokes = replace(strokes, x=x, y=y, hooks=hooks)
    return replace(strokes, x=x + _offsets(strokes, at, label, line)[digit])


def _offsets(strokes: Strokes, at: tuple[I64, I64], label: I64, line: Line) -> F32:
    """x of the left end of each digit (d,)."""
    shape = (len(line.pen), MAX_DIGITS)
    left, right = (np.full((*shape, _BANDS), far, np.float32) for far in (_FAR, -_FAR))
    left[at], right[at] = _profiles(strokes)
    width = right.max(axis=2)
    free = np.zeros((*shape, 2), np.bool_)  # on the left and on the right of each digit
    free[at] = np.stack([(label == 1) | (label == 3), label == 1], axis=1)
    x = np.zeros(shape, np.float32)
    reach = right[:, 0]
    for j in range(1, MAX_DIGITS):
        touch = np.maximum((reach - left[:, j]).max(axis=1), x[:, j - 1])
        box = np.maximum(x[:, j - 1] + width[:, j - 1], touch)
        apart = touch + (1 - line.kern) * (box - touch) + line.pen + line.gap[:, j]
        clear = free[:, j, 0] | free[:, j - 1, 1]
        pens, more = np.array([_LEAST, _LEAST_OF_BARS], np.float32)[clear.astype(np.int64)].T
        # Read from left to right: a middle lies right of the one before.
        middle = x[:, j - 1] + (width[:, j - 1] - width[:, j]) / 2 + 0.25
        x[:, j] = np.maximum.reduce([apart, touch + pens * line.pen + more, middle])
        reach = np.maximum(reach, right[:, j] + x[:, j, None])
    return x[at]


def _profiles(strokes: Strokes) -> tuple[F32, F32]:
    """Least and greatest x (d, _BANDS) of each digit in each band and those beside it."""
    # Chords may skip a band: their middles count, too.
    same = strokes.stroke[1:] == strokes.stroke[:-1]
    x = np.concatenate([strokes.x, ((strokes.x[1:] + strokes.x[:-1]) / 2)[same]])
    y = np.concatenate([strokes.y, ((strokes.y[1:] + strokes.y[:-1]) / 2)[same]])
    owner = np.concatenate([strokes.owner, strokes.owner[1:][same]])
    band = ((y - _TOP) / _BAND).clip(0, _BANDS - 1).astype(np.int64)
    shape = (len(strokes.first), _BANDS)
    left, right = (np.full(shape, far, np.float32) for far in (_FAR, -_FAR))
    # One index instead of two: many times faster.
    band += owner * _BANDS
    np.minimum.at(left.reshape(-1), band, x)
    np.maximum.at(right.reshape(-1), band, x)
    return _with_neighbours(left, np.minimum), _with_neighbours(right, np.maximum)


def _with_neighbours(profile: F32, extreme: np.ufunc) -> F32:
    """The extreme (d, _BANDS) of each band and those above and below."""
    wide = profile.copy()
    extreme(wide[:, 1:], profile[:, :-1], out=wide[:, 1:])
    extreme(wide[:, :-1], profile[:, 1:], out=wide[:, :-1])
    return wide
