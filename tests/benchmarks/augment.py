"""Peers of the recipe `child`: augmentation of single digits, one image at a time.

Each bends every digit by its own rotation, scale, slant and smooth displacement and sets 1 to 5 of
them side by side, the lighter pixel winning. All leave out what `child` does besides: pens of
other widths, contrast, one slant for a number, exact boxes, numbers refitted that came out too
large.
"""

import random
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from shards.canvas import HEIGHT, INK_WIDTH, RIGHT_MARGIN, WIDTH
from shards.labels import MAX_DIGITS
from tests.benchmarks.peers import find
from tests.benchmarks.timing import Task

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Bend = Callable[[U8, float], U8]

SIDE = 28  # px of a digit's frame
TILE = HEIGHT  # px of a digit on the canvas
INK = 20  # px, of a digit in its frame
FULL = 1.3  # scale at which a digit fills the canvas's height
DEGREES, SLANT = 10, (-20, 30)
SCALE = (0.82, 1.18)
ELASTIC = 1.1  # px
KNOTS = 4  # across a digit, of its displacement

# Homogeneous coordinates (1024, 3) of a tile's pixels, from its centre.
_ROWS, _COLUMNS = np.mgrid[:TILE, :TILE].astype(np.float32) - (TILE - 1) / 2
_PIXELS = np.stack([_COLUMNS, _ROWS, np.ones_like(_ROWS)], axis=2).reshape(-1, 3)


def by_opencv(digits: list[U8], count: int) -> Task:
    """One cv2.remap a digit, affine map and displacement in one, straight into its tile."""
    noise = np.random.default_rng(0)
    rng = random.Random(0)

    def bend(digit: U8, size: float) -> U8:
        angle, lean = np.deg2rad(rng.uniform(-DEGREES, DEGREES)), rng.uniform(*SLANT) / 57.3
        scale = 1 / (size * rng.uniform(*SCALE))
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        middle = (SIDE - 1) / 2
        inverse = np.array([[cos, sin], [cos * lean - sin, sin * lean + cos], [middle, middle]])
        knots = noise.random((KNOTS, KNOTS, 2), np.float32)
        knots -= 0.5
        knots *= 2 * rng.uniform(0, ELASTIC)
        maps = cv2.resize(knots, (TILE, TILE), interpolation=cv2.INTER_CUBIC)
        maps += (_PIXELS @ inverse.astype(np.float32)).reshape(TILE, TILE, 2)
        bent: U8 = cv2.remap(digit, maps, None, cv2.INTER_LINEAR)
        return bent

    return _task(bend, digits, count)


def by_albumentations(digits: list[U8], count: int) -> Task | None:
    """Affine, ElasticTransform, Compose; the digit enlarged to its tile before."""
    library = find("albumentations")
    if library is None:
        return None
    compose = library.Compose(
        [
            library.Affine(rotate=(-DEGREES, DEGREES), scale=SCALE, shear={"x": SLANT}, p=1),
            library.ElasticTransform(alpha=10, sigma=4, approximate=True, p=1),
        ]
    )
    return _task(lambda digit, size: compose(image=_enlarge(digit, size))["image"], digits, count)


def by_torchvision(digits: list[U8], count: int) -> Task | None:
    """RandomAffine, ElasticTransform and Compose of transforms.v2."""
    library = find("torchvision.transforms.v2")
    if library is None:
        return None
    import torch

    compose = library.Compose(
        [
            library.RandomAffine(DEGREES, scale=SCALE, shear=SLANT),
            library.ElasticTransform(alpha=10.0, sigma=4.0),
        ]
    )

    def bend(digit: U8, size: float) -> U8:
        bent: U8 = compose(torch.from_numpy(_enlarge(digit, size))[None])[0].numpy()
        return bent

    return _task(bend, digits, count)


def _enlarge(digit: U8, size: float) -> U8:
    """Put a digit, scaled by `size`, into the middle of a tile."""
    move = (TILE - 1) / 2 - size * (SIDE - 1) / 2
    matrix = np.array([[size, 0, move], [0, size, move]])
    tile: U8 = cv2.warpAffine(digit, matrix, (TILE, TILE))
    return tile


def _task(bend: Bend, digits: list[U8], count: int) -> Task:
    """A task that draws `count` numbers from `digits`, uint8 (n, 28, 28) for each class."""

    def task(number: int) -> int:
        rng = random.Random(number)
        images = np.empty((count, HEIGHT, WIDTH), np.uint8)
        for image in images:
            _draw_number(image, bend, digits, rng)
        return count

    return task


def _draw_number(image: U8, bend: Bend, digits: list[U8], rng: random.Random) -> None:
    """Draw 1 to 5 digits into `image`, uint8 (32, 128), right-aligned and as large as they fit."""
    label = [rng.randrange(10) for _ in range(rng.randint(1, MAX_DIGITS))]
    steps = [INK + rng.uniform(-2, 8) for _ in label]
    size = min(FULL, INK_WIDTH / sum(steps))
    wide = np.zeros((HEIGHT, WIDTH + 2 * TILE), np.uint8)
    right = float(TILE + WIDTH - RIGHT_MARGIN)
    for digit, step in zip(reversed(label), steps, strict=True):
        middle = right - size * step / 2
        left = int(middle) - TILE // 2
        spot = wide[:, left : left + TILE]
        of_class = digits[digit]
        np.maximum(spot, bend(of_class[rng.randrange(len(of_class))], size), out=spot)
        right -= size * step
    image[...] = wide[:, TILE:-TILE]
