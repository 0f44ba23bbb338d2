"""Keeps the loops of a digit when it is thinned: a closed 9 would become a 1, an 8 a 6."""

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

INK_THRESHOLD = 96
# Tried in this order where a loop is missing: a pen that has just closed a loop leaves its middle
# a little darker.
_HIGHER = (144, 192, 224)
# Of the digits 0 to 9. A 4, open or closed, is a 4 without its loop, too.
LOOPS = (1, 0, 0, 0, 0, 0, 1, 0, 2, 1)
# Ink that is so much deeper than the thin strokes, and so many px deep, is a filled loop.
_DEEPER = 1.6
_DEEP = 3.5
_THIN = 0.25  # quantile of the depth along the centreline
# Of the depth of the thin strokes: what is taken off around the ink of a filled loop.
_RIM = 0.8


def ink_with_loops(glyph: U8, label: int) -> U8:
    """Tell ink from paper so that as many of the digit's loops are open as the grey levels show.

    Args:
        glyph: uint8 (h, w), white ink on black.
        label: The digit, 0 to 9.

    Returns:
        uint8 (h, w), 0 or 1: what is at least `INK_THRESHOLD`, or a higher level if that opens a
        loop which the digit should have, and does not break it up.
    """
    best = (glyph >= INK_THRESHOLD).astype(np.uint8)
    if LOOPS[label] == 0:
        return best
    parts, loops = _parts(best), count_loops(best)
    for level in _HIGHER:
        if loops >= LOOPS[label]:
            break
        ink = (glyph >= level).astype(np.uint8)
        if _parts(ink) > parts:
            break
        if (found := count_loops(ink)) > loops:
            best, loops = ink, found
    return best


def filled_loops(ink: U8, line: U8, label: int) -> U8:
    """What to keep beside the centreline of a digit whose loop is filled: its ink, less a rim.

    Args:
        ink: uint8 (h, w), 0 or 1.
        line: uint8 (h, w), 0 or 1, the centreline of `ink`.
        label: The digit, 0 to 9.

    Returns:
        uint8 (h, w), 0 or 1; empty unless a loop is missing and the ink is as deep somewhere as no
        stroke is.
    """
    nothing = np.zeros_like(ink)
    if LOOPS[label] == 0 or not line.any():
        return nothing
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, cv2.DIST_MASK_5)
    stroke = float(np.quantile(depth[line > 0], _THIN))
    if depth.max() < max(_DEEPER * stroke, _DEEP) or count_loops(ink) >= LOOPS[label]:
        return nothing
    return np.asarray(depth > _RIM * stroke, np.uint8)


def count_loops(ink: U8) -> int:
    """How many patches of paper the ink, uint8 (h, w) of 0 or 1, encloses."""
    paper = 1 - np.pad(ink, 1)
    return int(cv2.connectedComponents(paper, connectivity=4)[0]) - 2  # ink and outside


def _parts(ink: U8) -> int:
    return int(cv2.connectedComponents(ink, connectivity=8)[0]) - 1
