"""Ligatures: where a fast writer does not lift the pen between two digits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generator.pen.batch import Strokes
from generator.pen.shapes import shapes

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

POINTS = 13  # of a joining curve; the middle one is its digits' common end
# From the tops of these digits the pen may run on, and from a foot into these: elsewhere shapes
# would close, and a 3 be read as 8, a 4 as 9.
_OVER, _FROM_FOOT = (0, 5, 8), (2, 4)


@dataclass(frozen=True)
class Joins:
    """j curves that lead from digit `left` (j,) to the next, float32 path (2, j, POINTS)."""

    left: I64
    path: F32


@dataclass(frozen=True)
class _Ends:
    """Where d digits end or begin: x and y (2, d), within the box, and the heading, length 1."""

    point: F32
    inside: F32
    heading: F32


def join(strokes: Strokes, owner: I64, label: I64, wanted: Bools) -> Joins:
    """Join neighbours where it is `wanted`, bool (d,) by left digit, and stays readable.

    Refused are digits that do not lie close, ends inside a digit or left behind it, and what would
    turn one digit into another: a 1 is never joined.
    """
    left = np.flatnonzero(wanted[:-1] & (owner[:-1] == owner[1:]))
    exits, entries = _ends(strokes)
    right = left + 1
    allowed = plausible(
        label[left],
        label[right],
        strokes.shape[right] == shapes().joined_zero,
        exits.inside[:, left],
        entries.inside[:, right],
        exits.heading[:, left],
        entries.point[:, right] - exits.point[:, left],
    )
    left = left[allowed]
    return Joins(left, _curve(exits, entries, left))


def plausible(
    left: I64, right: I64, from_below: Bools, out: F32, into: F32, heading: F32, way: F32
) -> Bools:
    """Whether a pen would run on from one digit into the next.

    Args:
        left: int64 (j,), a digit.
        right: int64 (j,), the digit after it.
        from_below: bool (j,), the right one is the zero that is written after a foot.
        out: float32 (2, j), where the left one ends in its box, 0 to 1 across and down.
        into: float32 (2, j), where the right one begins in its box.
        heading: float32 (2, j), the pen's at the end, length 1.
        way: float32 (2, j), from that end to that beginning, in digit heights.
    """
    across, far = way[0], np.hypot(*way)
    high, early = out[1] < 0.3, into[0] < 0.35
    over = high & np.isin(left, _OVER) & (far < np.where(left == 0, 1, 0.6)) & (across > 0.2)
    over &= (np.isin(right, (2, 3, 5)) & early & (into[1] < 0.35)) | (
        (right == 0) & (into[1] < 0.12)
    )
    onwards = (out[0] > 0.75) & (heading[0] > 0.5) & (into[0] < 0.3)
    rising = onwards & (across > 0.25) & (far < 1.3) & (into[1] < 0.45)
    foot = rising & (left == 2) & (out[1] > 0.75) & np.isin(right, _FROM_FOOT)
    arm = rising & (left == 4) & (np.abs(out[1] - 0.55) < 0.2) & (right == 2)
    zero = from_below & onwards & (out[1] > 0.75) & (across > 0.05) & (far < 0.7)
    some = np.where(from_below, zero, over | foot | arm)
    return np.asarray(some & (left != 1) & (right != 1) & (across > 0.08))


def _ends(strokes: Strokes) -> tuple[_Ends, _Ends]:
    """Ends and beginnings of d digits."""
    left, top, right, bottom = strokes.boxes()
    tiny = np.float32(1e-9)
    corner, size = np.stack([left, top]), np.stack([right - left, bottom - top]) + tiny
    points = np.stack([strokes.x, strokes.y])
    begin = strokes.start[strokes.first]
    end = np.append(begin[1:], len(strokes.x)) - 1

    def ends(at: I64, way: F32) -> _Ends:
        point = points[:, at]
        return _Ends(point, (point - corner) / size, way / (np.hypot(*way) + tiny))

    return (
        ends(end, points[:, end] - points[:, end - 1]),
        ends(begin, points[:, begin + 1] - points[:, begin]),
    )


def _curve(exits: _Ends, entries: _Ends, left: I64) -> F32:
    """Cubic Hermite curves that leave and arrive with the pen's own headings."""
    start, end = exits.point[:, left, None], entries.point[:, left + 1, None]
    swing = 0.6 * np.hypot(*(end - start))
    t = np.linspace(0, 1, POINTS, dtype=np.float32)
    bend = (2 * t - 3) * t * t
    leave, arrive = exits.heading[:, left, None] * swing, entries.heading[:, left + 1, None] * swing
    return np.asarray(
        start * (1 + bend) - end * bend + leave * t * (1 - t) ** 2 - arrive * t * t * (1 - t)
    )
