"""The canvas, the reader's one input, and `fit`, which brings any drawing onto it.

The rule is short, so that a game or a web page can do the same:

1. The drawing becomes grey (see `shards.drawing`).
2. Where the medians of the left and the right side differ, or of top and bottom, the light falls
   from one side: that slope is taken out, unless it is over half the contrast, and so ink.
3. The background is the median of the border; the ink is the distance from it, towards the side,
   darker or lighter, that goes further.
4. The ink is scaled to a peak of 255. What is under 32 becomes 0, or under twice the grain of the
   paper: what 90 % of the border stays below, half the peak and more, which is ink, left aside.
   The rest is cropped.
5. The crop is scaled, aspect kept, to 28 px high or 124 px wide, whichever is reached first. A
   pixel of the result is the mean over a box around its centre: an area average where the crop
   shrinks, linear interpolation where it grows.
6. The result is scaled to a peak of 255, rounded, and placed: right edge 2 px from the right,
   vertically centred.
"""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from shards.drawing import read_grey
from shards.errors import UserError

HEIGHT, WIDTH = 32, 128
INK_HEIGHT, INK_WIDTH = 28, 124
RIGHT_MARGIN = 2
FAINT = 32  # of 255: a contrast under this is paper, not ink
_GRAINS = 2  # so many times as far from the paper as its grain is ink
_LARGE = 65_536  # px: from here on adding whole rows is faster than adding down each column


def fit(drawing: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Bring a drawing onto the canvas: uint8 (32, 128), white ink on black.

    drawing: an array (height, width) or (height, width, 1 to 4) of uint8, uint16, bool or floats
    in 0..1, a Pillow image of any mode, or the path of an image file; dark on light, light on
    dark, or ink on a transparent ground. Raises UserError where nothing is drawn and for
    whatever is no picture.
    """
    return place(resize(crop_ink(drawing)))


def crop_ink(drawing: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Separate the ink of a drawing from its background and crop to it: steps 1 to 4.

    Takes and raises what `fit` does. Returns float32 (height, width) in the drawing's own pixels:
    0 for paper, 32..255 for ink, with a peak of 255.
    """
    grey = _level(read_grey(drawing))
    border = np.concatenate(_sides(grey))
    background = _median(border)
    darker, lighter = background - float(grey.min()), float(grey.max()) - background
    peak = max(darker, lighter)
    if peak < FAINT:
        where = f"{drawing}: " if isinstance(drawing, (str, Path)) else ""
        raise UserError(
            f"{where}nothing is drawn: the contrast to the background is {peak:.0f} of 255, "
            f"at least {FAINT} is needed; draw darker or crop less tightly"
        )
    faint = max(FAINT * peak / 255, _GRAINS * _grain(border, background, peak))
    exact = grey.dtype != np.uint8  # whole numbers are compared as such, several times faster
    if lighter >= darker:
        inked = grey >= (background + faint if exact else math.ceil(background + faint))
    else:
        inked = grey <= (background - faint if exact else math.floor(background - faint))
    box = extents(inked)
    ink: np.ndarray = grey[box].astype(np.float32)
    ink -= np.float32(background)
    np.abs(ink, out=ink)
    ink *= np.float32(255 / peak)
    ink *= inked[box]
    return ink


def resize(ink: np.ndarray) -> np.ndarray:
    """Scale a crop of ink, float32 (height, width), to its size on the canvas: step 5."""
    height, width = ink.shape
    scale = min(INK_HEIGHT / height, INK_WIDTH / width)
    ink = _box_means(ink, max(1, int(height * scale + 0.5)))
    turned = np.ascontiguousarray(ink.T)
    return _box_means(turned, max(1, int(width * scale + 0.5))).T


def place(ink: np.ndarray) -> np.ndarray:
    """Scale `ink`, non-negative (up to 28, up to 124), to a peak of 255 and put it in its place."""
    height, width = ink.shape
    left, top = corner(height, width)
    canvas = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    canvas[top : top + height, left : left + width] = ink * (255 / ink.max()) + 0.5
    return canvas


def corner(height: int, width: int) -> tuple[int, int]:
    """Return where resized ink has its left and top edge on the canvas, in px: step 6."""
    return WIDTH - RIGHT_MARGIN - width, (HEIGHT - height) // 2


def extents(inked: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns from the first to the last true one of bool (height, width)."""
    pixels, width = inked.tobytes(), inked.shape[1]
    rows = slice(pixels.find(1) // width, pixels.rfind(1) // width + 1)
    columns = inked[rows].any(axis=0).tobytes()
    return rows, slice(columns.find(1), columns.rfind(1) + 1)


def _level(grey: np.ndarray) -> np.ndarray:
    """Take a slope of the light out of a picture; one that lies level comes back as it is."""
    top, bottom, left, right = map(_median, _sides(grey))
    slopes = bottom - top, right - left
    if slopes == (0, 0):
        return grey
    middle = _median(np.concatenate(_sides(grey)))
    contrast = max(middle - float(grey.min()), float(grey.max()) - middle)
    down, across = (
        np.float32(slope if abs(slope) <= contrast / 2 else 0)
        * ((np.arange(side, dtype=np.float32) + np.float32(0.5)) / side - np.float32(0.5))
        for slope, side in zip(slopes, grey.shape, strict=True)
    )
    level: np.ndarray = grey - down[:, None]
    level -= across
    return level


def _sides(grey: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the top, bottom, left and right side."""
    return grey[0], grey[-1], grey[:, 0], grey[:, -1]


def _median(values: np.ndarray) -> float:
    ordered = np.sort(values)
    below, above = ordered[[(len(ordered) - 1) // 2, len(ordered) // 2]].tolist()
    return float(below + above) / 2


def _grain(border: np.ndarray, background: float, peak: float) -> float:
    """Return how far the paper at the border is from the background, at most a quarter of peak."""
    distances = np.abs(border - np.float32(background))
    paper = np.sort(distances[distances < peak / 2])
    return min(float(paper[len(paper) * 9 // 10]), peak / (2 * _GRAINS)) if len(paper) else 0.0


def _box_means(ink: np.ndarray, out: int) -> np.ndarray:
    """Resample axis 0 to `out` rows: each the mean over a box around its centre, 0 outside."""
    step = len(ink) / out
    half = max(step, 1.0) / 2
    edges = np.arange(0.5, out) * step + np.array([[-half], [half]])
    edges = np.minimum(np.maximum(edges, 0, out=edges), len(ink), out=edges)
    whole = np.minimum(edges.astype(np.intp), len(ink) - 1)
    edges -= whole
    before = ink.take(whole, axis=0)
    before *= edges.astype(np.float32)[..., None]
    before += _sums_before(ink, whole)
    means: np.ndarray = before[1] - before[0]
    means /= np.float32(2 * half)
    return means


def _sums_before(ink: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the sum of the rows of `ink`, float32 (n, m), before each of `rows`: (*rows.shape, m).

    Rows are added one after another from the top, since another order would round differently.
    """
    n, m = ink.shape
    if n * m >= _LARGE and m > 1:  # the rows of a single column would be added pairwise
        stops = sorted({0, *rows.ravel().tolist()})
        sums = np.zeros((len(stops), m), np.float32)
        for i, (start, stop) in enumerate(pairwise(stops)):
            np.add.reduce(np.concatenate([sums[i : i + 1], ink[start:stop]]), out=sums[i + 1])
        return sums[np.searchsorted(stops, rows)]
    sums = np.zeros((n + 1, m + m % 2), np.float32)
    sums[1:, :m] = ink
    pairs = sums.view(np.complex64)  # two columns at once: an addition waits for the one before
    np.add.accumulate(pairs, axis=0, out=pairs)
    return sums.take(rows, axis=0)[..., :m]
