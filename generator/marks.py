"""Marks that people write with a number and that are no digit of it: points, signs, lines."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from generator.doodles import on_grid
from generator.overlay import BOTTOM, LEFT, RIGHT, draw_line, make_room, present
from generator.overlay import extents as box_of
from generator.rng import MARKS, uniforms_of
from shards.canvas import FAINT, extents
from shards.strokes import Stroke

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

DRAWS = 48
_TWICE, _GAP, _POINTS = 14, 15, 16  # where these draws begin

# Strokes as in `doodles.LETTERS`.
SIGNS = {
    ".": ["26 26"],
    ",": ["25 17"],
    "'": ["20 11"],
    ":": ["23 23", "26 26"],
    "-": ["03 43"],
    "=": ["02 42", "04 44"],
    "*": ["21 25", "02 44", "42 04"],
    "#": ["11 05", "41 35", "02 42", "04 44"],
    "$": ["42 31 11 02 13 33 44 35 15 04", "20 26"],
    "$ of two lines": ["42 31 11 02 13 33 44 35 15 04", "10 16", "30 36"],
    "$ of two ends": ["42 31 11 02 13 33 44 35 15 04", "20 21", "25 26"],
    "euro": ["51 40 20 11 15 26 46 55", "02 42", "04 44"],
    "pound": ["51 40 30 21 25 06 56", "03 43"],
}
FLOURISH = "~"  # a wave after a number, so that nothing can be added to it
# Between the thousands, after a number, before it: no minus, which belongs to what it says.
CURRENCIES = (*3 * ("$",), *2 * ("$ of two lines",), *2 * ("$ of two ends",), "euro", "pound")
SEPARATORS, AFTER = ".,'", (*".,:-=*#", FLOURISH, FLOURISH, "euro")
BEFORE = (*":=*#", *CURRENCIES)
AROUND = "*#=-"  # on both sides, once or twice, so that nothing can be added: no minus either
# Of the marks so many, summed; then lines below.
SEPARATED, FOLLOWED, ENCLOSED, PRECEDED = 0.25, 0.48, 0.6, 0.91
SIZE = (0.4, 0.8)  # of the number's height
TALL_SIZE = (0.7, 1.0)  # of a currency, about as tall as the digits
FINE_PEN = (0.4, 0.9)  # of a currency, so that it does not close to a blot
WAVES, WAVE_LENGTH, WAVE_HEIGHT = (1, 5), (6, 30), (0.3, 1.5)  # units of the box
PEN = (0.4, 1.2)  # of a unit of the box, and at least 1 px
GAP = (1, 6)  # px to the number, fewer than the last
JITTER = 0.6  # of a unit of the box, both ways together: of each stroke, and of each point
STRETCH, SLANT = (0.7, 1.3), (-0.1, 0.35)  # factor on the width; x to y
RULE_REACH = 12  # px that a line below stands out on either side, at most


def mark(images: U8, boxes: I16, rows: I64, seed: int, start: int) -> None:
    """Write one mark with each of these numbers, in place, where there is room.

    A point between the thousands, or a sign after the number, moves the digits before it to the
    left. No digit is touched, and the ink stays within what `fit` gives.

    Args:
        images: uint8 (n, 32, 128), white ink on black.
        boxes: int16 (n, 5, 4), x, y, width, height of each digit's ink; 0 where absent.
        rows: int64 (m,), which of them.
        seed: The stream.
        start: The sample of row 0; what happens to a sample depends on `seed` and its number alone.
    """
    for row, u in zip(rows.tolist(), uniforms_of(MARKS | seed, start + rows, DRAWS), strict=True):
        _mark(images[row], present(boxes[row]), u)


def _mark(image: U8, boxes: I16, u: F64) -> None:
    """Write the mark that the uniform numbers `u` (48,) say; may move boxes (digits, 4)."""
    kind = u[0]
    left, top, right, bottom = box_of(boxes)
    if kind < SEPARATED and len(boxes) > 3:
        before, after = boxes[-4], boxes[-3]
        gap = int(after[0] - before[0] - before[2])
        sign = _sign(SEPARATORS, bottom - top, u)
        space = 1 + sign.shape[1] + 1  # clear of both digits
        if gap >= 0 and make_room(image, boxes, int(after[0]), max(0, space - gap)):
            _put(image, sign, int(after[0]) - 1 - sign.shape[1], bottom)
    elif kind < FOLLOWED:
        sign = _sign(AFTER, bottom - top, u)
        space = sign.shape[1] + _gap(u)
        if make_room(image, boxes, right, space):
            _put(image, sign, right - sign.shape[1], bottom)
    elif kind < ENCLOSED:
        sign = _repeated(_sign(AROUND, bottom - top, u), u)
        space = sign.shape[1] + _gap(u)
        if left - 2 * space >= LEFT and make_room(image, boxes, right, space):
            _put(image, sign, right - sign.shape[1], bottom)
            _put(image, sign, left - 2 * space, bottom)
    elif kind < PRECEDED:
        sign = _sign(BEFORE, bottom - top, u)
        _put(image, sign, left - _gap(u) - sign.shape[1], bottom)
    else:
        _rule(image, left, right, bottom, u)


def _sign(names: Sequence[str], height: int, u: F64) -> U8:
    """One of these signs, uint8 (`height`, w), its baseline below it."""
    name = names[int(u[1] * len(names))]
    sizes, pens = (TALL_SIZE, FINE_PEN) if name in CURRENCIES else (SIZE, PEN)
    unit = height * (sizes[0] + u[2] * (sizes[1] - sizes[0])) / 6
    pen = max(1, round(unit * (pens[0] + u[3] * (pens[1] - pens[0]))))
    strokes = [stroke * unit for stroke in _strokes(name, u)]
    across = np.concatenate(strokes)[:, 0]
    sign = np.zeros((height, int(np.ceil(np.ptp(across))) + pen + 1), np.uint8)
    corner = (across.min() - (pen + 1) / 2, (pen + 1) / 2 - height)
    for stroke in strokes:
        draw_line(sign, stroke - corner, 255, pen)
    _, columns = extents(sign >= FAINT)
    return sign[:, columns]


def _repeated(sign: U8, u: F64) -> U8:
    """Write a sign once or twice, px between as the gap to the number."""
    between = np.zeros((len(sign), _gap(u)), np.uint8)
    return sign if u[_TWICE] < 0.5 else np.hstack([sign, between, sign])


def _strokes(name: str, u: F64) -> list[Stroke]:
    """The strokes of a sign by a hand that shakes, slants and stretches it, in units."""
    if name == FLOURISH:
        return [_wave(u)]
    parts = [on_grid(part) for part in SIGNS[name]]
    points = np.concatenate(parts)
    of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    points += (u[4 : 4 + 2 * len(parts)].reshape(-1, 2)[of] - 0.5) * JITTER
    points += (u[_POINTS : _POINTS + points.size].reshape(-1, 2) - 0.5) * JITTER
    (narrow, wide), (left, right) = STRETCH, SLANT
    width, slant = narrow + u[12] * (wide - narrow), left + u[13] * (right - left)
    points[:, 0] = width * points[:, 0] - slant * points[:, 1]
    return [points[of == part] for part in range(len(parts))]


def _wave(u: F64) -> F64:
    """Run up and down at half the height: points (32, 2) x, y in units."""
    waves, length, height = (
        low + draw * (high - low)
        for draw, (low, high) in zip(u[6:9], (WAVES, WAVE_LENGTH, WAVE_HEIGHT), strict=True)
    )
    along = np.linspace(0, 1, 32)
    return np.stack([along * length, height * np.sin(2 * np.pi * (waves * along + u[9])) - 3], 1)


def _gap(u: F64) -> int:
    return int(GAP[0] + u[_GAP] * (GAP[1] - GAP[0]))


def _put(image: U8, sign: U8, left: int, bottom: int) -> None:
    """Lay a sign over the image, its baseline at `bottom`; not where it would stand out."""
    height, width = sign.shape
    if left < LEFT:
        return
    place = image[bottom - height : bottom, left : left + width]
    np.maximum(place, sign, out=place)


def _rule(image: U8, left: int, right: int, bottom: int, u: F64) -> None:
    """Draw a line below a number, where there is room."""
    room = BOTTOM - bottom
    if room < 3:
        return
    below = np.zeros((room, RIGHT - LEFT), np.uint8)
    ends = np.array([left, right]) + (u[4:6] * (-RULE_REACH, RULE_REACH)) - LEFT
    heights = np.clip(1 + (room - 2) * u[6] + (u[7:9] - 0.5) * 2, 1, room - 1)
    draw_line(below, np.stack([np.clip(ends, 1, below.shape[1] - 2), heights], axis=1), 255, 1)
    place = image[bottom:BOTTOM, LEFT:RIGHT]
    np.maximum(place, below, out=place)
