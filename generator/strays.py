"""Ink at the edge of a drawing that is no part of its number: cut-off writing, lines, specks.

It is why a number may come out small and anywhere: `fit` crops to all ink, and so to this, too.
"""

import numpy as np
import numpy.typing as npt

from generator.overlay import ROOM, draw_line, extents
from generator.rng import STRAYS, uniforms_of
from shards.canvas import FAINT, INK_HEIGHT, INK_WIDTH

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

MOST = 3
DRAWS_EACH = 8
DRAWS = MOST * DRAWS_EACH

NEAR = 4  # px between a stray and the box of the number
TALLEST = 0.4  # of the number's height; a taller one may be a 1
LINE = 0.25  # of the strays are lines along an edge; the others are short strokes
LINE_LENGTH = (0.15, 1.0)  # of the canvas
REACH = (0.0, 10.0)  # px, how far a short stroke comes in; 0 is a speck
PENS = (1, 1, 2)  # px


def stray(images: U8, boxes: I16, rows: I64, seed: int, start: int) -> None:
    """Lay one to three strays at the edges of these images, in place, away from the number.

    The ink stays within what `fit` gives: 28 px high, 124 px wide, 2 px from the right.

    Args:
        images: uint8 (n, 32, 128), white ink on black.
        boxes: int16 (n, 5, 4), x, y, width, height of each digit's ink; 0 where absent.
        rows: int64 (m,), which of them.
        seed: The stream.
        start: The sample of row 0; what happens to a sample depends on `seed` and its number alone.
    """
    for row, u in zip(rows.tolist(), uniforms_of(STRAYS | seed, start + rows, DRAWS), strict=True):
        box = extents(boxes[row])
        for which in u.reshape(MOST, DRAWS_EACH)[: 1 + int(u[7] * MOST)].tolist():
            _lay(images[row], box, which)


def _lay(image: U8, box: tuple[int, int, int, int], u: list[float]) -> None:
    """Lay the stray that the eight uniform numbers `u` say, unless it comes near the number.

    `box` is the number's: left, top, right, bottom.
    """
    left, top, right, bottom = box
    drawn = np.zeros_like(image)
    points = _line(u) if u[0] < LINE else _stroke(u)
    level = int(255 - (255 - 3 * FAINT) * u[5])
    draw_line(drawn[ROOM], points, level, PENS[int(u[6] * len(PENS))])
    near = drawn[max(0, top - NEAR) : bottom + NEAR, max(0, left - NEAR) : right + NEAR]
    if near.any() or drawn[top:bottom].any(axis=1).sum() > TALLEST * (bottom - top):
        return
    np.maximum(image, drawn, out=image)


def _line(u: list[float]) -> F64:
    """Along the top or the bottom, a little aslant: points (2, 2) x, y in the room."""
    length = (LINE_LENGTH[0] + u[1] * (LINE_LENGTH[1] - LINE_LENGTH[0])) * INK_WIDTH
    x = u[2] * (INK_WIDTH - length)
    y = np.array([u[3] * 2, u[3] * 2 + (u[4] - 0.5) * 3])
    y = y if u[0] < LINE / 2 else INK_HEIGHT - 1 - y
    return np.stack([np.array([x, x + length]), y], axis=1)


def _stroke(u: list[float]) -> F64:
    """Inwards from any point of the edge, with a bend: points (3, 2) x, y in the room."""
    around = u[1] * (INK_WIDTH + INK_HEIGHT)
    side = 0.0 if u[0] < (1 + LINE) / 2 else 1.0
    if around < INK_WIDTH:
        edge = np.array([around, side * (INK_HEIGHT - 1)])
        inwards = np.array([0.0, 1 - 2 * side])
    else:
        edge = np.array([side * (INK_WIDTH - 1), around - INK_WIDTH])
        inwards = np.array([1 - 2 * side, 0.0])
    reach = REACH[0] + u[2] ** 2 * (REACH[1] - REACH[0])
    along = inwards[::-1] * np.array([u[3] - 0.5, u[4] - 0.5])[:, None] * 2 * reach
    return np.stack(
        [edge, edge + inwards * reach / 2 + along[0], edge + inwards * reach + along[1]]
    )
