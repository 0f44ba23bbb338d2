"""What paper, pen and scanner do to ink: it fades, strokes break, dirt lies between digits."""

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from generator.rng import PAPER, uniforms
from shards.canvas import FAINT, HEIGHT, WIDTH

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

# Knots of the slow field, down and across; one every 13 px or so.
KNOTS = (4, 11)
SPECKS = 4
BREAKS = 4
DRAWS = 4 + KNOTS[0] * KNOTS[1] + 4 * BREAKS + 4 * SPECKS
# At most so much of the ink fades slowly along the number, and so much from pixel to pixel.
FADING, GRAIN = 0.8, 0.35
INSIDE = 128  # from here on, ink is a stroke's and not its edge's
BREAK = (2.0, 6.0)  # px along a break, which is 1 or 2 px wide


def soil(images: U8, uneven: I64, broken: I64, specked: I64, seed: int, start: int) -> None:
    """Make ink uneven, break strokes and strew dirt, in place.

    No ink is lost or gained at the rim: what was ink, 32 or more, stays ink, and dirt lies within
    the box of the number, so that it ends where `fit` would have it.

    Args:
        images: uint8 (n, 32, 128), white ink on black.
        uneven: int64 (m,), rows whose ink fades here and there.
        broken: int64 (l,), rows that get 1 to 4 breaks in their strokes.
        specked: int64 (k,), rows that get 1 to 4 specks.
        seed: The stream.
        start: The sample of row 0; what happens to a sample depends on `seed` and its number alone.
    """
    if not (len(uneven) or len(broken) or len(specked)):
        return
    u = uniforms(PAPER | seed, start, len(images), DRAWS)
    if len(uneven):
        images[uneven] = _fade(images[uneven], u[uneven])
    for row in broken.tolist():
        _break(images[row], u[row, -4 * (BREAKS + SPECKS) : -4 * SPECKS])
    if len(specked):
        images[specked] = _strew(images[specked], u[specked, -4 * SPECKS :])


def _fade(images: U8, u: F64) -> U8:
    """Multiply by a slow field and a grain, both 0 to 1; the brightest ink stays as it was."""
    # Deep fading is the harder to read, so that it is the more frequent.
    depth, roughness = u[:, 0] ** 0.5 * FADING, u[:, 1] ** 2 * GRAIN
    knots = u[:, 4 : 4 + KNOTS[0] * KNOTS[1]].reshape(-1, *KNOTS).astype(np.float32)
    down, across = (_spread(*sides) for sides in ((HEIGHT, KNOTS[0]), (WIDTH, KNOTS[1])))
    slow = down @ knots @ across.T
    grain = _grain()
    tops = (u[:, 2] * (len(grain) - HEIGHT)).astype(np.int64)
    lefts = (u[:, 3] * (len(grain) - WIDTH)).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(grain, (HEIGHT, WIDTH))
    slow *= -depth[:, None, None].astype(np.float32)
    slow -= windows[tops, lefts] * roughness[:, None, None].astype(np.float32)
    slow += 1
    faded = slow * images
    faded *= (images.max(axis=(1, 2)) / faded.max(axis=(1, 2)))[:, None, None]
    # Ink stays ink, and what was none does not become any.
    np.clip(faded, np.minimum(images, FAINT), np.where(images < FAINT, images, 255), out=faded)
    return np.asarray(faded + np.float32(0.5)).astype(np.uint8)


def _break(image: U8, u: F64) -> None:
    """Take almost all ink from 1 to 4 short lines across strokes that are not faint, in place."""
    inked = np.flatnonzero(image >= INSIDE)
    if not len(inked):
        return
    lines = np.zeros_like(image)
    draws = u.reshape(BREAKS, 4).tolist()
    for where, turn, length, form in draws[: 1 + int(u[3] * BREAKS)]:
        y, x = divmod(int(inked[int(where * len(inked))]), WIDTH)
        reach = (BREAK[0] + length * (BREAK[1] - BREAK[0])) / 2
        across, down = reach * math.cos(turn * math.pi), reach * math.sin(turn * math.pi)
        ends = ((x - across, y - down), (x + across, y + down))
        start, end = ((round(x * 16), round(y * 16)) for x, y in ends)
        cv2.line(lines, start, end, 255, 1 + int(form * 8 * BREAKS) % 2, cv2.LINE_AA, 4)
    left = cv2.multiply(image, cv2.bitwise_not(lines), scale=1 / 255)
    # Ink stays ink.
    np.maximum(left, np.minimum(image, FAINT), out=image)


def _strew(images: U8, u: F64) -> U8:
    """Lay 1 to 4 specks, of 1 to 2 px a side, within the box of each number."""
    low, high = _boxes(images)
    x, y, light, form = np.moveaxis(u.reshape(-1, SPECKS, 4), 2, 0)
    rows = np.arange(len(images))
    for k in range(SPECKS):
        there = rows[(form[:, 0] * SPECKS).astype(np.int64) >= k]
        level = (FAINT + light[there, k] * (255 - FAINT)).astype(np.uint8)
        corner = low[there] + np.stack([x, y], axis=2)[there, k] * (high - low)[there]
        left, top = corner.astype(np.int64).T
        right = np.minimum(left + (form[there, k] * 4 % 2 >= 1), high[there, 0] - 1)
        bottom = np.minimum(top + (form[there, k] * 8 % 2 >= 1), high[there, 1] - 1)
        for column in (left, right):
            for row in (top, bottom):
                spot = (there, row, column)
                images[spot] = np.maximum(images[spot], level)
    return images


def _boxes(images: U8) -> tuple[I64, I64]:
    """First and last + 1 column and row (n, 2) of the ink."""
    ink = images >= FAINT
    across, down = (np.logical_or.reduce(ink, axis=axis) for axis in (1, 2))
    low = np.stack([across.argmax(axis=1), down.argmax(axis=1)], axis=1)
    end = np.stack([across[:, ::-1].argmax(axis=1), down[:, ::-1].argmax(axis=1)], axis=1)
    return low, np.array([WIDTH, HEIGHT]) - end


@lru_cache
def _spread(side: int, knots: int) -> F32:
    """Matrix (side, knots) that interpolates linearly between knots spread over `side` px."""
    at = np.linspace(0, knots - 1, side)
    near = np.maximum(1 - np.abs(at[:, None] - np.arange(knots)), 0)
    return np.asarray(near, np.float32)


@lru_cache
def _grain() -> F32:
    """A square of noise in 0..1, rough at the scale of a pixel or two."""
    noise = np.random.Generator(np.random.Philox(PAPER)).random((256, 256), dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 0.6)
    return np.asarray(np.clip((smooth - 0.5) * 2 + 0.5, 0, 1))
