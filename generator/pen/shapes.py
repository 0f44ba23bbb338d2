"""The allographs as arrays, so that many digits are written at once."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from generator.pen import movement
from generator.pen.allographs import ALLOGRAPHS, JOINED_ZERO

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

STROKES = 2  # of an allograph, at most
CONTROLS = 12  # control points of a stroke, at most
# The roundings of the two bases of a stroke; those between are mixed of both.
ROUNDINGS = (0.01, 0.06)
# A path has a point for so many digit heights, and one for so many rad of turning: chords that
# look like curves.
_HOP, _TURN = 0.2, 0.5
# Digits to those who know the hand, but not alone.
_AMBIGUOUS = {
    (1, "bar, tail to the right"),
    (4, "closed like a 9"),
    (4, "closed, small"),
    (7, "steep top"),
    (7, "sloped like a 1"),
}


@dataclass(frozen=True)
class Shapes:
    """The strokes of a allographs, and p points of all their paths.

    The allographs of digit d are `first[d]` up to `first[d + 1]`; `joined_zero` stands last.
    """

    first: I64  # (11,)
    chance: F64  # (a,): share of the writers who use this one or an earlier one for its digit
    joined_zero: int
    control: F64  # (a, 2, CONTROLS, 2), digit heights
    last: I64  # (a, 2), the index of the last control point; -1: there is no such stroke
    start: I64  # (a, 2), the first point of the path
    count: I64  # (a, 2), how many points it has
    basis: F64  # (2, p, CONTROLS), the weights of the control points, for both ROUNDINGS
    along: F64  # (p,), length of the path so far, in digit heights


@cache
def shapes() -> Shapes:
    """The table of ALLOGRAPHS and JOINED_ZERO."""
    everything = [shape for digit in ALLOGRAPHS for shape in digit] + [JOINED_ZERO]
    weights = [
        np.cumsum([shape.weight * ((digit, shape.name) not in _AMBIGUOUS) for shape in some])
        for digit, some in enumerate(ALLOGRAPHS)
    ]
    control = np.zeros((len(everything), STROKES, CONTROLS, 2))
    last, start, count = (np.full((len(everything), STROKES), n) for n in (-1, 0, 0))
    bases: list[F64] = []
    alongs: list[F64] = []
    for i, shape in enumerate(everything):
        for j, points in enumerate(shape.strokes):
            basis, along = _trace(points.astype(np.float64))
            control[i, j, : len(points)] = points[:, :2]
            last[i, j], count[i, j] = len(points) - 1, len(along)
            start[i, j] = sum(len(a) for a in alongs)
            bases.append(basis)
            alongs.append(along)
    return Shapes(
        first=np.cumsum([0, *(len(digit) for digit in ALLOGRAPHS)]),
        chance=np.concatenate([*(w / w[-1] for w in weights), [1.0]]),
        joined_zero=len(everything) - 1,
        control=control,
        last=last,
        start=start,
        count=count,
        basis=np.concatenate(bases, axis=1),
        along=np.concatenate(alongs),
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
