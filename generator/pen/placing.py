"""Written numbers brought onto the canvas, where fit() would place them, or anywhere."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from generator.layout import ROOMS
from generator.pen import raster
from generator.pen.batch import Strokes
from generator.pen.joins import POINTS, Joins
from generator.pen.raster import Lines
from generator.sample import Numbers
from shards import canvas

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

ROOM = ROOMS["ink"]


def gather(strokes: Strokes, joins: Joins, owner: I64) -> Lines:
    """Strokes, hooks and joins as lines; half of a join belongs to each of its digits.

    Args:
        strokes: Of d digits.
        joins: Between some of them: there the strokes have no hooks.
        owner: int64 (d,), the number of each digit, sorted.
    """
    bare = (strokes.hooks != 0).any(axis=2)
    last = np.append(strokes.first[1:], len(strokes.digit)) - 1
    bare[last[joins.left], 1] = bare[strokes.first[joins.left + 1], 0] = False
    hooked, side = np.nonzero(bare)
    ends = np.where(side == 0, strokes.start[hooked], strokes.end[hooked])
    tips, hooked_digit = strokes.hooks[hooked, side], strokes.digit[hooked]
    half = POINTS // 2 + 1
    parts = [
        (strokes.x, strokes.y, strokes.start, strokes.digit),
        _flat(_hook(strokes.x[ends], tips[:, 0]), _hook(strokes.y[ends], tips[:, 1]), hooked_digit),
        _flat(joins.path[0, :, :half], joins.path[1, :, :half], joins.left),
        _flat(joins.path[0, :, half - 1 :], joins.path[1, :, half - 1 :], joins.left + 1),
    ]
    before = np.cumsum([0, *(len(x) for x, *_ in parts[:-1])])
    x, y, digit = (np.concatenate([part[i] for part in parts]) for i in (0, 1, 3))
    start = np.concatenate([part[2] + n for part, n in zip(parts, before, strict=True)])
    return Lines(x, y, start, digit, owner)


def _hook(end: F32, tip: F32) -> F32:
    return np.stack([end, end + tip], axis=1)


def _flat(x: F32, y: F32, digit: I64) -> tuple[F32, F32, I64, I64]:
    """Lines of as many points each, (l, m), flattened; the first point of each, and its digit."""
    lines, points = x.shape
    return x.ravel(), y.ravel(), np.arange(lines) * points, digit


def rise(lines: Lines, slope: F32) -> Lines:
    """Let the line of each number rise to the right by a slope, (n,)."""
    return replace(lines, y=lines.y - slope[lines.number] * lines.x)


def fit(lines: Lines, numbers: Numbers, pen: F32) -> tuple[Lines, I64]:
    """Bring n numbers onto the canvas, so that the ink of each fills its room or its place in it.

    Args:
        lines: In digit heights.
        numbers: Whether they stand anywhere, and where.
        pen: (n,), its width in digit heights.

    Returns:
        The lines in px of the canvas, and the radius (n,) of each pen (see `raster.radius`).
    """
    low, high = lines.bounds()
    span, room = high - low, np.array([[ROOM.width], [ROOM.height]])
    room_or_part = room * np.where(numbers.anywhere, numbers.size, 1)
    radii = raster.radius(pen * (room_or_part / (span + pen)).min(axis=0))
    reach = raster.reach(radii)
    # Once more, with the pen as it is drawn.
    scale = ((room_or_part - 2 * reach) / np.maximum(span, 1e-9)).min(axis=0)
    place = np.where(numbers.anywhere, numbers.place.T, np.array([[1], [0.5]]))
    corner = np.array([[ROOM.left], [ROOM.top]]) + place * (room - span * scale - 2 * reach)
    number = lines.number
    factor = scale.astype(np.float32)[number]
    x, y = (corner + reach - low * scale).astype(np.float32).take(number, axis=1)
    return replace(lines, x=lines.x * factor + x, y=lines.y * factor + y), radii


def moves(numbers: Numbers, boxes: npt.NDArray[np.int16]) -> I64:
    """(n, 2): px across and down that put ink where fit() would.

    It is nearly there, but the outermost px may be too faint to count.
    """
    there = numbers.present
    right = np.where(there, boxes[..., 0] + boxes[..., 2], 0).max(axis=1)
    top = np.where(there, boxes[..., 1], canvas.HEIGHT).min(axis=1)
    bottom = np.where(there, boxes[..., 1] + boxes[..., 3], 0).max(axis=1)
    exact = np.stack([ROOM.right - right, (canvas.HEIGHT - (bottom - top)) // 2 - top], axis=1)
    return np.where(numbers.anywhere[:, None], 0, exact).astype(np.int64)
