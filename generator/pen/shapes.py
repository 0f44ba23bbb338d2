"""The allographs as arrays, so that many digits are written at once."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from generator.pen import movement
from generator.pen.allographs import ALLOGRAPHS, JOINED_ZERO

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

STROKES = 2  # of an allograph, at most
CONTROLS = 12  # control points of a stroke, at most
NEAR = 6  # of them that a point of its path depends on, at most: neighbours
# The roundings of the two bases of a stroke; those between are mixed of both.
ROUNDINGS = (0.01, 0.06)
# A path has a point for so many digit heights, and one for so many rad of turning: chords that
# look like curves, at most a quarter px from them where digits are 20 px high.
_HOP, _TURN = 0.3, 0.7


@dataclass(frozen=True)
class Shapes:
    """The strokes of a allographs, and p points of all their paths.

    The allographs of digit d are `first[d]` up to `first[d + 1]`; `joined_zero` stands last.
    """

    first: I64  # (11,)
    chance: F64  # (a,): share of the writers who use this one or an earlier one for its digit
    joined_zero: int
    control: F32  # (2, a, 2, CONTROLS): x and y in digit heights, of both strokes
    last: I64  # (a, 2), the index of the last control point; -1: there is no such stroke
    start: I64  # (a, 2), the first point of the path
    count: I64  # (a, 2), how many points it has
    near: I64  # (p,), the first of the NEAR control points that a point depends on
    basis: F32  # (2, NEAR, p), their weights, for both ROUNDINGS
    along: F32  # (p,), length of the path so far, in digit heights


@cache
def shapes() -> Shapes:
    """The table of ALLOGRAPHS and JOINED_ZERO."""
    everything = [shape for digit in ALLOGRAPHS for shape in digit] + [JOINED_ZERO]
    weights = [np.cumsum([shape.weight for shape in digit]) for digit in ALLOGRAPHS]
    control = np.zeros((2, len(everything), STROKES, CONTROLS), np.float32)
    last, start, count = (np.full((len(everything), STROKES), n) for n in (-1, 0, 0))
    bases: list[F64] = []
    alongs: list[F64] = []
    for i, shape in enumerate(everything):
        for j, points in enumerate(shape.strokes):
            rows, along = _trace(points.astype(np.float64))
            control[:, i, j, : len(points)] = points[:, :2].T
            last[i, j], count[i, j] = len(points) - 1, len(along)
            start[i, j] = sum(len(a) for a in alongs)
            bases.append(rows)
            alongs.append(along)
    near, basis = _nearest(np.concatenate(bases, axis=1))
    return Shapes(
        first=np.cumsum([0, *(len(digit) for digit in ALLOGRAPHS)]),
        chance=np.concatenate([*(w / w[-1] for w in weights), [1.0]]),
        joined_zero=len(everything) - 1,
        control=control,
        last=last,
        start=start,
        count=count,
        near=near,
        basis=basis,
        along=np.concatenate(alongs).astype(np.float32),
    )


def _trace(points: F64) -> tuple[F64, F64]:
    """Bases (2, m, CONTROLS) of a stroke at the points that its path needs; how far they lie."""
    bases = np.stack([movement.basis(points, rounding) for rounding in ROUNDINGS])
    hops = np.diff(bases[0] @ points[:, :2], axis=0)
    heading = np.unwrap(np.arctan2(hops[:, 1], hops[:, 0]))
    turned = np.concatenate([[0, 0], np.cumsum(np.abs(np.diff(heading)))])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*hops.T))])
    effort = along / _HOP + turned / _TURN
    wanted = np.linspace(0, effort[-1], max(4, round(effort[-1])) + 1)
    rows = np.unique(np.searchsorted(effort, wanted).clip(0, len(effort) - 1))
    unused = ((0, 0), (0, 0), (0, CONTROLS - len(points)))
    return np.pad(bases[:, rows], unused), along[rows]


def _nearest(bases: F64) -> tuple[I64, F32]:
    """The NEAR neighbours of most weight, of (2, p, CONTROLS): their first, and their weights.

    What the others weigh, under a thousandth, goes to them in proportion.
    """
    windows = sliding_window_view(bases, NEAR, axis=2)  # (2, p, first, NEAR)
    first = np.abs(windows).sum(axis=(0, 3)).argmax(axis=1)
    some = windows[:, np.arange(len(first)), first]
    weights = (some / some.sum(axis=2, keepdims=True)).transpose(0, 2, 1)
    return first, weights.astype(np.float32, order="C")
