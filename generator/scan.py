"""What a poor scan keeps of the paper: grain, specks, stripes.

Nothing with the shape of writing: a reader that leaves faint writing out leaves faded digits out.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from generator.overlay import BOTTOM, LEFT, RIGHT, TOP, extents
from generator.rng import SCANS, uniforms_of
from shards.canvas import FAINT

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Area = tuple[slice, slice]

DRAWS = 8

MARGIN = 50.0  # px of paper on the left of a number placed anywhere, at most
DENSE = (0.01, 0.6)  # of the paper is not clean; each ratio is as likely
# The denser, the fainter: as bright as the ink up to this density, then by this power of it.
BRIGHT, PALER = 0.03, 0.4
FAINTEST = 0.3  # of that
STRIPED = 0.3  # of the papers; half of the others are grainy, half have specks
STRIPES = 0.2  # dense, at least: fewer would be lines, which `rules` draws
PERIOD = (3.0, 12.0)  # px from stripe to stripe
TABLE = 256  # px a side of a table of noise


def scan(images: U8, boxes: I16, anywhere: Bools, rows: I64, seed: int, start: int) -> None:
    """Leave some of the paper beside and between the ink of these numbers, in place.

    The paper ends where `fit` would have it end: at the ink of a number that fills its room, at
    the edges of the room, 28 px high, 2 px from the right, of one that is placed anywhere.

    Args:
        images: uint8 (n, 32, 128), white ink on black.
        boxes: int16 (n, 5, 4), x, y, width, height of each digit's ink; 0 where absent.
        anywhere: bool (n,), whether a number may lie anywhere in its room.
        rows: int64 (m,), which of them.
        seed: The stream.
        start: The sample of row 0; what happens to a sample depends on `seed` and its number alone.
    """
    for row, u in zip(rows.tolist(), uniforms_of(SCANS | seed, start + rows, DRAWS), strict=True):
        area = _area(boxes[row], bool(anywhere[row]), float(u[0]))
        paper = _paper(images[row], area, u.tolist())
        part = images[row][area]
        np.maximum(part, paper, out=part)


def _area(boxes: I16, anywhere: bool, u: float) -> Area:
    """Rows and columns that show paper."""
    left, top, right, bottom = extents(boxes)
    if not anywhere:
        return slice(top, bottom), slice(left, right)
    return slice(TOP, BOTTOM), slice(max(LEFT, left - int(u * MARGIN)), RIGHT)


def _paper(image: U8, area: Area, u: list[float]) -> U8:
    """Draw the paper of an area: uint8, of its shape."""
    level = cv2.mean(image, (image >= FAINT).view(np.uint8))[0] * (FAINTEST + (1 - FAINTEST) * u[1])
    dense = DENSE[0] * (DENSE[1] / DENSE[0]) ** u[3]
    if u[2] < STRIPED:
        dense = max(dense, STRIPES)
        field = _stripes(area, u)
    else:
        table = _noise(smooth=u[2] < (1 + STRIPED) / 2)
        rows, columns = (side.stop - side.start for side in area)
        top, left = int(u[4] * (TABLE - rows)), int(u[5] * (TABLE - columns))
        field = table[top : top + rows, left : left + columns]
    level *= min(1.0, (BRIGHT / dense) ** PALER)
    paper = np.maximum(field, 1 - dense)
    paper -= 1 - dense
    paper *= level / dense
    return np.asarray(paper, np.uint8)


def _stripes(area: Area, u: list[float]) -> F32:
    """Give how near each pixel of an area is to the middle of a stripe, 0 to 1."""
    turn = u[4] * np.pi
    period = PERIOD[0] + u[5] * (PERIOD[1] - PERIOD[0])
    y, x = (np.arange(side.start, side.stop, dtype=np.float32) / period for side in area)
    wave = (y * np.sin(turn) + u[6])[:, None] + x * np.cos(turn)
    wave -= np.floor(wave)
    return np.asarray(np.abs(wave * 2 - 1), np.float32)


@lru_cache
def _noise(smooth: bool) -> F32:
    """Give a square of noise in which each value in 0..1 is as frequent, by pixels or by specks."""
    noise = np.random.Generator(np.random.Philox(SCANS)).random((TABLE, TABLE), dtype=np.float32)
    if smooth:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8), np.float32)
    ranks = np.empty(noise.size, np.float32)
    ranks[noise.argsort(axis=None, kind="stable")] = np.arange(noise.size) / noise.size
    return ranks.reshape(noise.shape)
