"""The canvas, the reader's one input, and `fit`, which brings any drawing onto it.

The rule is short, so that a game or a web page can do the same:

1. The drawing becomes grey (see `shards.drawing`).
2. The background is the median of the border; the ink is the distance from it, towards the side,
   darker or lighter, that goes further.
3. The ink is scaled to a peak of 255, what is under 32 becomes 0, and the rest is cropped.
4. The crop is scaled, aspect kept, to 28 px high or 124 px wide, whichever is reached first. A
   pixel of the result is the mean over a box around its centre: an area average where the crop
   shrinks, linear interpolation where it grows.
5. The result is scaled to a peak of 255, rounded, and placed: right edge 2 px from the right,
   vertically centred.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from shards.drawing import read_grey
from shards.errors import UserError

HEIGHT, WIDTH = 32, 128
INK_HEIGHT, INK_WIDTH = 28, 124
RIGHT_MARGIN = 2
FAINT = 32  # of 255: a contrast under this is paper, not ink


def fit(drawing: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Bring a drawing onto the canvas: uint8 (32, 128), white ink on black.

    drawing: an array (height, width) or (height, width, 1 to 4) of uint8, uint16, bool or floats
    in 0..1, a Pillow image of any mode, or the path of an image file; dark on light, light on
    dark, or ink on a transparent ground. Raises UserError where nothing is drawn and for
    whatever is no picture.
    """
    return place(resize(crop_ink(drawing)))


def crop_ink(drawing: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Separate the ink of a drawing from its background and crop to it: steps 1 to 3.

    Takes and raises what `fit` does. Returns float32 (height, width) in the drawing's own pixels:
    0 for paper, 32..255 for ink, with a peak of 255.
    """
    grey = read_grey(drawing)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    middle = len(border) // 2
    background = float(np.partition(border, (middle - 1, middle))[middle - 1 : middle + 1].mean())
    darker, lighter = background - float(grey.min()), float(grey.max()) - background
    peak = max(darker, lighter)
    if peak < FAINT:
        where = f"{drawing}: " if isinstance(drawing, (str, Path)) else ""
        raise UserError(
            f"{where}nothing is drawn: the contrast to the background is {peak:.0f} of 255, "
            f"at least {FAINT} is needed; draw darker or crop less tightly"
        )
    faint = FAINT * peak / 255
    inked = grey >= background + faint if lighter >= darker else grey <= background - faint
    box = extents(inked)
    ink: np.ndarray = np.abs(grey[box] - np.float32(background)) * np.float32(255 / peak)
    return ink * inked[box]


def resize(ink: np.ndarray) -> np.ndarray:
    """Scale a crop of ink, float32 (height, width), to its size on the canvas: step 4."""
    height, width = ink.shape
    scale = min(INK_HEIGHT / height, INK_WIDTH / width)
    ink = _box_means(ink, max(1, int(height * scale + 0.5)))
    return _box_means(ink.T, max(1, int(width * scale + 0.5))).T


def place(ink: np.ndarray) -> np.ndarray:
    """Scale `ink`, non-negative (up to 28, up to 124), to a peak of 255 and put it in its place."""
    height, width = ink.shape
    left, top = corner(height, width)
    canvas = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    canvas[top : top + height, left : left + width] = ink * (255 / ink.max()) + 0.5
    return canvas


def corner(height: int, width: int) -> tuple[int, int]:
    """Return where resized ink has its left and top edge on the canvas, in px: step 5."""
    return WIDTH - RIGHT_MARGIN - width, (HEIGHT - height) // 2


def extents(inked: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns from the first to the last true one of bool (height, width)."""
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _box_means(ink: np.ndarray, out: int) -> np.ndarray:
    """Resample axis 0 to `out` rows: each the mean over a box around its centre, 0 outside."""
    step = len(ink) / out
    half = max(step, 1.0) / 2
    centres = (np.arange(out) + 0.5) * step
    edges = np.concatenate([centres - half, centres + half]).clip(0, len(ink))
    sums = np.zeros((len(ink) + 1, ink.shape[1]), dtype=np.float32)  # of the rows before each
    np.cumsum(ink, axis=0, out=sums[1:])
    whole = np.minimum(edges.astype(np.intp), len(ink) - 1)
    before = sums[whole] + ink[whole] * (edges - whole).astype(np.float32)[:, None]
    return np.asarray((before[out:] - before[:out]) / np.float32(2 * half))
