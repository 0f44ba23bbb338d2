"""Drawings that are no digits, beside a number: a reader learns to pass over them.

A scribble alone has no label that a record could hold, but a number with a scribble beside it has:
the number. Whoever reads it right has seen nothing in the scribble.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from generator.overlay import LEFT, TOP, make_room, present
from generator.rng import DOODLES, uniforms_of
from generator.strokes import StrokeRecipe, ink
from shards.canvas import FAINT, INK_HEIGHT, crop_ink, resize
from shards.strokes import Stroke

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
Random = np.random.Generator

HEIGHT = 100  # px, drawn; `fit` would make 28 of it
POOL = 1026  # so many are drawn, once; flips make four of each that may be mirrored
GAP = (3, 12)  # px between a doodle and its number, fewer than the last
AFTER = 0.5  # of the words and of wide doodles follow their number
WIDE = 1.5  # of its height, at least: a narrow tangle may be a digit by a broad pen
POINTS = 160  # of a curve

# Capitals that are no digit in any hand, mirrored or not (an E becomes a 3): strokes, each a row of
# points x, y in a box of 4 x 6.
LETTERS = {
    "A": ["06 20 46", "14 34"],
    "H": ["00 06", "40 46", "03 43"],
    "K": ["00 06", "40 03 46"],
    "M": ["06 00 23 40 46"],
    "N": ["06 00 46 40"],
    "R": ["06 00 30 41 42 33 03", "23 46"],
}
# More of which words before and after a number are made (Fr, kn, EUR), none mirrored, as a P would
# be a 9, and none that is a digit in some hand (not a, b, d, g, i, l, o, q, s, y, z).
WORD_LETTERS = LETTERS | {
    "C": ["41 30 10 01 05 16 36 45"],
    "E": ["40 00 06 46", "03 33"],
    "F": ["40 00 06", "03 33"],
    "P": ["06 00 30 41 42 33 03"],
    "T": ["00 40", "20 26"],
    "U": ["00 05 16 36 45 40"],
    "V": ["00 26 40"],
    "W": ["00 16 22 36 40"],
    "X": ["00 46", "40 06"],
    "c": ["33 22 12 03 05 16 26 35"],
    "e": ["04 34 33 22 12 03 05 16 26 35"],
    "f": ["30 20 11 16", "03 33"],
    "h": ["00 06", "03 12 22 33 36"],
    "k": ["00 06", "32 04 36"],
    "m": ["02 06", "03 12 23 26", "23 32 43 46"],
    "n": ["02 06", "03 12 22 33 36"],
    "r": ["02 06", "04 12 22"],
    "t": ["10 15 26 35", "02 32"],
    "u": ["02 05 16 26 35 32", "35 36"],
    "v": ["02 16 32"],
    "w": ["02 16 23 36 42"],
    "x": ["02 36", "32 06"],
}


class Doodle(NamedTuple):
    """One of the pool: its picture, uint8 (up to 28, up to 124), and whether it may be mirrored."""

    image: U8
    mirrors: bool


def scrawl(images: U8, boxes: I16, rows: I64, seed: int, start: int) -> None:
    """Draw one doodle before or after each of these numbers, in place, where there is room.

    One that follows its number moves that to the left. No digit is touched, and the ink stays
    within what `fit` gives: at most 28 px high, 2 px from every edge.

    Args:
        images: uint8 (n, 32, 128), white ink on black.
        boxes: int16 (n, 5, 4), x, y, width, height of each digit's ink; 0 where absent.
        rows: int64 (m,), which of them.
        seed: The stream.
        start: The sample of row 0; what happens to a sample depends on `seed` and its number alone.
    """
    if not len(rows):
        return
    doodles = pool()
    widths = np.array([doodle.image.shape[1] for doodle in doodles])
    for row, (gap, which, flip, down, after, *_) in zip(
        rows.tolist(), uniforms_of(DOODLES | seed, start + rows, 8).tolist(), strict=True
    ):
        number = images[row]
        apart = int(GAP[0] + gap * (GAP[1] - GAP[0]))
        # All ink, so that a doodle is clear of what else is drawn beside the digits.
        inked = np.flatnonzero((number >= FAINT).any(axis=0)).tolist()
        end = inked[0] - apart
        able = int(np.searchsorted(widths, end - LEFT, side="right"))
        if not able:
            continue
        doodle = doodles[int(which * able)]
        height, width = doodle.image.shape
        apt = not doodle.mirrors or width > WIDE * height
        if apt and after < AFTER:
            end = inked[-1] + 1
            make_room(number, present(boxes[row]), end, apart + width)
        top = TOP + int(down * (INK_HEIGHT - height + 1))
        place = number[top : top + height, end - width : end]
        np.maximum(place, _flipped(doodle, flip), out=place)


def _flipped(doodle: Doodle, u: float) -> U8:
    """Mirror a doodle across and down as a uniform number says, if it may be."""
    if not doodle.mirrors:
        return doodle.image
    return doodle.image[:: 1 if u < 0.5 else -1, :: 1 if u % 0.5 < 0.25 else -1]


@lru_cache(maxsize=1)
def pool() -> list[Doodle]:
    """Return the doodles, the narrowest first."""
    random = np.random.Generator(np.random.Philox(DOODLES))
    kinds = [*KINDS.values(), words, words, words]  # what people write most often
    drawn = []
    for k in range(POOL):
        kind = kinds[k % len(kinds)]
        image = _small(draw(kind, random), kind, random)
        while kind in (scribble, knot, zigzag) and image.shape[1] <= WIDE * len(image):
            image = _small(draw(kind, random), kind, random)
        drawn.append(Doodle(image, kind is not words))
    return sorted(drawn, key=lambda doodle: doodle.image.shape[1])


def draw(kind: "Kind", random: Random) -> U8:
    """Draw one of a kind, about 100 px high, by a pen of any width: uint8, white on black."""
    strokes = kind(random)
    scale = HEIGHT / np.ptp(np.concatenate(strokes)[:, 1])
    low, high = StrokeRecipe.pen
    pen = random.uniform(low, high) * HEIGHT
    drawing: U8 = ink([[stroke * scale for stroke in strokes]], pen)[0]
    return drawing


def scribble(random: Random) -> list[Stroke]:
    """One stroke that wanders and crosses itself."""
    return [_smooth(cloud(random, 10, 30))]


def knot(random: Random) -> list[Stroke]:
    """The same, closed."""
    points = cloud(random, 9, 20)
    return [_smooth(np.concatenate([points, points[:3]]))]


def zigzag(random: Random) -> list[Stroke]:
    """Up and down, from left to right."""
    count = random.integers(6, 16)
    points = np.stack([np.arange(count) / random.uniform(2, 6), np.arange(count) % 2], axis=1)
    return [points + random.normal(0, (0.02, 0.12), (count, 2))]


def spiral(random: Random) -> list[Stroke]:
    """Three to six turns round a point."""
    turn = np.linspace(0, 2 * np.pi * random.uniform(3, 6), POINTS)
    return [_circle(turn + random.uniform(0, 2 * np.pi)) * np.linspace(0.1, 1, POINTS)[:, None]]


def loops(random: Random) -> list[Stroke]:
    """Loops in a row, as in a first lesson of joined writing."""
    turn = np.linspace(0, 2 * np.pi * random.integers(4, 9), POINTS)
    rolled = np.stack([turn / random.uniform(3, 5), np.zeros(POINTS)], axis=1)
    return [_circle(turn) * (1, random.uniform(1, 2)) + rolled]


def capitals(random: Random) -> list[Stroke]:
    """One to five of `LETTERS` in a row."""
    return in_a_row(LETTERS, random, least=1)


def words(random: Random) -> list[Stroke]:
    """Two to five of `WORD_LETTERS` in a row, to be read from left to right."""
    return in_a_row(WORD_LETTERS, random, least=2)


Kind = Callable[[Random], list[Stroke]]
KINDS: dict[str, Kind] = {
    kind.__name__: kind for kind in (scribble, knot, zigzag, spiral, loops, capitals)
}


def in_a_row(alphabet: dict[str, list[str]], random: Random, least: int) -> list[Stroke]:
    """Write `least` to five letters in a row, every corner a little beside its place."""
    strokes, left = [], 0.0
    for name in random.choice(list(alphabet), random.integers(least, 6)):
        width, height = random.uniform((0.6, 0.85), (1.2, 1.15))
        for part in alphabet[name]:
            grid = on_grid(part)
            grid += random.normal(0, 0.25, grid.shape)
            strokes.append(grid * (width, height) + (left, 0))
        left += 4 * width + random.uniform(1, 3)
    return strokes


def on_grid(points: str) -> Stroke:
    """Read a stroke of `LETTERS`: float64 (n, 2), its y from -6 at the top to 0, the baseline."""
    return np.array([[int(xy[0]), int(xy[1]) - 6] for xy in points.split()], np.float64)


def cloud(random: Random, least: int, most: int) -> Stroke:
    """Points anywhere in a box of height 1, 0.7 to 3 wide."""
    return random.random((random.integers(least, most + 1), 2)) * (random.uniform(0.7, 3), 1)


def _small(drawing: U8, kind: Kind, random: Random) -> U8:
    """Bring a doodle to half of the height that `fit` gives it and more, words to a quarter."""
    fitted, size = resize(crop_ink(drawing)), random.uniform(0.25 if kind is words else 0.5, 1)
    smaller = cv2.resize(fitted, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    doodle: U8 = np.rint(smaller * (255 / smaller.max())).astype(np.uint8)
    return doodle


def _smooth(points: Stroke) -> Stroke:
    """Run a uniform quadratic B-spline along n points: float64 (POINTS, 2)."""
    place = np.linspace(0, len(points) - 3, POINTS, endpoint=False)
    first, t = place.astype(int), (place % 1)[:, None]
    weights = (1 - t) ** 2 / 2, (1 + 2 * t - 2 * t**2) / 2, t**2 / 2
    return np.asarray(sum(w * points[first + k] for k, w in enumerate(weights)))


def _circle(angles: npt.NDArray[np.float64]) -> Stroke:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
