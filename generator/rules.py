"""Lines that a number is written on or into: through it, under it, around it, between digits.

Those of a form, a ring round the number, the circles of a stamp. One that stands upright is taller
than the digits, so that none is a 1, and a circle is larger than they are, so that none is a 0.
"""

import numpy as np
import numpy.typing as npt

from generator import overlay
from generator.overlay import LEFT, ROOM, TOP, draw_line, extents, move, present
from generator.rng import RULES, uniforms_of
from shards import canvas
from shards.canvas import FAINT

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]
Curve = F64 | list[tuple[float, float]]  # (k, 2) x, y in px

DRAWS = 16

RIGHT, BOTTOM = overlay.RIGHT - 1, overlay.BOTTOM - 1  # the centres of the last pixels
# Of the numbers so many, summed, have a line through them, a stamp, a ring; the others a frame.
THROUGH, STAMPED, RINGED = 0.3, 0.38, 0.65
PASSES = 6.0  # px that a line through a number goes on beside it, at least, where there is room
OUT = 30.0  # px more, at most
FREE_ACROSS, FREE_DOWN = 3.0, 3.0  # px between the middles of ink and frame, at least
PAD_ACROSS, PAD_DOWN = 20.0, 0.8  # px, and of the number's height: more, at most
CELL_GAP = 4.0  # px between digits that a line may stand in
UPRIGHT = 1.3  # of the number's height: a line that is no taller may be a 1
TREMBLE = 1.2  # px, both ways together, of each end
CORNER = (0.4, 1.0)  # exponent of a ring (a superellipse): from almost a box to an ellipse
RING_TURN = (0.9, 1.1)  # turns of the pen that draws it
THICK = 0.4  # of the rings are 2 px thick, all other lines 1
STAMP = (0.85, 1.6)  # radius, of the number's height
CLEARLY = 1.6  # of the number's height: a circle that shows no taller may be a 0
# Sides of a frame, each as likely.
FRAMES = (
    *("left top right bottom", "left top right bottom cells", "left bottom right", "bottom cells"),
    *("left right", "left", "right", "top bottom", "left bottom", "bottom right"),
)


def rule(images: U8, boxes: I16, anywhere: Bools, rows: I64, seed: int, start: int) -> None:
    """Lay the lines of a form over these numbers, in place, where there is room.

    A number that fills its room can only have a line through it, and many get none. One that a ring
    goes round moves as far as the ring needs. The ink stays within what `fit` gives: 28 px high,
    124 px wide, 2 px from the right.

    Args:
        images: uint8 (n, 32, 128), white ink on black.
        boxes: int16 (n, 5, 4), x, y, width, height of each digit's ink; 0 where absent.
        anywhere: bool (n,), whether a number may lie anywhere in its room.
        rows: int64 (m,), which of them.
        seed: The stream.
        start: The sample of row 0; what happens to a sample depends on `seed` and its number alone.
    """
    for row, u in zip(rows.tolist(), uniforms_of(RULES | seed, start + rows, DRAWS), strict=True):
        there = present(boxes[row])
        if u[0] < THROUGH:
            _draw(images[row], _through(there, bool(anywhere[row]), u.tolist()), u)
        elif anywhere[row] and u[0] < STAMPED:
            _draw(images[row], _stamp(there, u.tolist()), u)
        elif anywhere[row] and u[0] < RINGED:
            _draw(images[row], _ring(images[row], there, u.tolist()), u, 1 + int(u[7] < THICK))
        elif anywhere[row]:
            _draw(images[row], _frame(there, u.tolist()), u)


def _through(boxes: I16, anywhere: bool, u: list[float]) -> list[Curve]:
    """Cross all digits; not a single one of which the line might be a part."""
    left, top, right, bottom = _ends(boxes)
    from_x, to_x = left - PASSES - u[2] * OUT, right + PASSES + u[3] * OUT
    if not anywhere:
        to_x = right  # where fit() ends
    from_x, to_x = max(from_x, LEFT), min(to_x, RIGHT)
    passes = (left - from_x >= PASSES) + (to_x - right >= PASSES)
    if passes < (2 if len(boxes) == 1 else 1):
        return []
    y = bottom - u[4] ** 2 * (bottom - top)  # most often near the baseline
    return [[(from_x, y), (to_x, y)]]


def _stamp(boxes: I16, u: list[float]) -> list[Curve]:
    """Draw one or two circles about a point of the number; the room may cut them above and below.

    A circle that would show hardly taller than the digits is left out: it, or its side, may be one.
    """
    left, top, right, bottom = _ends(boxes)
    height = bottom - top + 1
    radius = height * (STAMP[0] + u[2] * (STAMP[1] - STAMP[0]))
    x, y = left + u[3] * (right - left), TOP + u[4] * (BOTTOM - TOP)
    turn = np.linspace(0, 2 * np.pi, 48)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return [
        (x, y) + size * circle
        for size in (radius, radius * (0.6 + 0.4 * u[5]))
        if min(BOTTOM, y + size) - max(TOP, y - size) + 1 >= CLEARLY * height
        and x - size >= LEFT
        and x + size <= RIGHT
    ]


def _ring(image: U8, boxes: I16, u: list[float]) -> list[Curve]:
    """Go round the number with a pen, clear of its digits; moves both so that there is room.

    A single digit is gone round in a circle, since a narrow ring about a 1 is a 0.
    """
    left, top, right, bottom = _ends(boxes)
    corner = CORNER[0] + u[1] * (CORNER[1] - CORNER[0])
    beyond = 2 ** (corner / 2)  # so much larger than a box is the ring through its corners
    half = np.array([right - left, bottom - top]) / 2
    least = (half + np.array([FREE_ACROSS, FREE_DOWN])) * beyond
    if len(boxes) == 1:
        least[:] = least.max()
    low, high = np.array([LEFT, TOP]), np.array([RIGHT, BOTTOM])
    if (2 * least + 1 > high - low).any():
        return []
    centre = np.array([left + right, top + bottom]) / 2
    inside = np.ceil(np.clip(centre, low + least, high - least - 1) - centre)
    rows, columns = canvas.extents(image >= FAINT)  # of all ink, not of the digits alone
    first = np.array([columns.start, rows.start]) + inside
    last = np.array([columns.stop, rows.stop]) - 1 + inside
    if (first < low).any() or (last > high).any():
        return []
    move(image, boxes, *inside.astype(int).tolist())
    centre += inside
    more = (np.minimum(centre - low, high - centre) - least).clip(0, least)
    more *= np.array(u[2:4]) ** 2
    radius = least + (more.min() if len(boxes) == 1 else more)
    turns = RING_TURN[0] + u[4] * (RING_TURN[1] - RING_TURN[0])
    turn = 2 * np.pi * (u[5] + np.linspace(0, turns, 60))
    around = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return [centre + radius * np.sign(around) * np.abs(around) ** corner]


def _frame(boxes: I16, u: list[float]) -> list[Curve]:
    """Draw some sides of a frame, those for which there is room, and lines between digits."""
    left, top, right, bottom = _ends(boxes)
    height = bottom - top + 1
    x0 = max(LEFT, left - FREE_ACROSS - u[2] * PAD_ACROSS)
    x1 = min(RIGHT, right + FREE_ACROSS + u[3] * PAD_ACROSS)
    y0 = max(TOP, top - FREE_DOWN - u[4] * PAD_DOWN * height)
    y1 = min(BOTTOM, bottom + FREE_DOWN + u[5] * PAD_DOWN * height)
    upright = y1 - y0 + 1 >= UPRIGHT * height
    gaps = zip(boxes[:-1, 0] + boxes[:-1, 2], boxes[1:, 0], strict=True)
    cells = [(a + b - 1) / 2 for a, b in gaps if b - a >= CELL_GAP]
    able: dict[str, list[Curve]] = {
        "top": [[(x0, y0), (x1, y0)]] if top - y0 >= FREE_DOWN else [],
        "bottom": [[(x0, y1), (x1, y1)]] if y1 - bottom >= FREE_DOWN else [],
        "left": [[(x0, y0), (x0, y1)]] if upright and left - x0 >= FREE_ACROSS else [],
        "right": [[(x1, y0), (x1, y1)]] if upright and x1 - right >= FREE_ACROSS else [],
        "cells": [[(x, y0), (x, y1)] for x in cells] if upright else [],
    }
    return [line for side in FRAMES[int(u[1] * len(FRAMES))].split() for line in able[side]]


def _ends(boxes: I16) -> tuple[int, int, int, int]:
    """First and last column and row of a number's ink: left, top, right, bottom."""
    left, top, right, bottom = extents(boxes)
    return left, top, right - 1, bottom - 1


def _draw(image: U8, lines: list[Curve], u: F64, pen: int = 1) -> None:
    """Draw lines of one level; each end trembles, and between the ends a curve does."""
    level = int(255 - (255 - 2 * FAINT) * u[6])
    drawn = np.zeros_like(image)
    for k, line in enumerate(lines):
        first, last = (np.roll(u[8:12], k).reshape(2, 2) - 0.5) * TREMBLE
        along = np.linspace(0, 1, len(line))[:, None]
        draw_line(drawn, np.asarray(line) + first + along * (last - first), level, pen)
    np.maximum(image[ROOM], drawn[ROOM], out=image[ROOM])
