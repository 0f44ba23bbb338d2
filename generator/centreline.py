"""Thins digits to centrelines and keeps the distance to them, so that any pen can ink them."""

import cv2
import numpy as np
import numpy.typing as npt

from generator.loops import INK_THRESHOLD, filled_loops, ink_with_loops

U8 = npt.NDArray[np.uint8]

# Steps of the distance field per px: fine enough for smooth edges, and its 255 steps still reach
# the 10 px that the thickest pen needs.
STEPS_PER_PX = 24
# Softens the stairs of a pixel-wide centreline, in px of the glyph frame.
SMOOTHING = 1.0
# The mean of |x| under the smoothing kernel: what smoothing adds to the distance on the line.
_SMOOTHING_LIFT = SMOOTHING * float(np.sqrt(2 / np.pi))
_MARGIN = 12
# Weight of each neighbour in the 8-bit code of a pixel: clockwise from the north.
_WEIGHTS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _deletable(step: int) -> U8:
    """Table over all codes: 255 where Zhang and Suen delete the pixel in sub-iteration `step`."""
    table = np.zeros(256, np.uint8)
    for code in range(256):
        north, _, east, _, south, _, west, _ = p = [(code >> k) & 1 for k in range(8)]
        rises = sum(p[k] == 0 and p[(k + 1) % 8] == 1 for k in range(8))
        sides = (
            (north & east & south, east & south & west)
            if step == 0
            else (north & east & west, north & south & west)
        )
        if 2 <= sum(p) <= 6 and rises == 1 and not any(sides):
            table[code] = 255
    return table


_TABLES = (_deletable(0), _deletable(1))


def thin(ink: U8) -> U8:
    """Thin strokes to lines one pixel wide (Zhang and Suen, "A fast parallel algorithm", 1984).

    Args:
        ink: uint8 (h, w), 0 or 1; ink on the border itself is never deleted.

    Returns:
        uint8 (h, w), 0 or 1, a subset of `ink` with the same connected parts, but that nothing is
        left of a blot of 2x2 px.
    """
    ink = ink.copy()
    changed = True
    while changed:
        changed = False
        for table in _TABLES:
            code = cv2.filter2D(ink, cv2.CV_8U, _WEIGHTS, borderType=cv2.BORDER_CONSTANT)
            gone = cv2.LUT(code, table) & (ink * 255)
            if gone.any():
                ink[gone > 0] = 0
                changed = True
    return ink


def centreline_fields(glyphs: U8, labels: U8 | None = None) -> U8:
    """The distance of each pixel to its digit's centreline, as a field that warps smoothly.

    Args:
        glyphs: uint8 (n, s, s), white ink on black.
        labels: uint8 (n,), the digits, so that no loop is lost in thinning: a loop that is filled
            stays a patch of ink. None: thin whatever there is.

    Returns:
        uint8 (n, s, s): 255 on the centreline, falling by `STEPS_PER_PX` a pixel; 0 on the border.
    """
    n, size, _ = glyphs.shape
    room = size + 2 * _MARGIN
    tall = np.zeros((n, room, room), np.uint8)
    inner = (slice(None), slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    if labels is None:
        tall[inner] = glyphs >= INK_THRESHOLD
    else:
        tall[inner] = [ink_with_loops(g, d) for g, d in zip(glyphs, labels, strict=True)]
    lines = thin(tall.reshape(n * room, room))
    if labels is not None:
        each = zip(tall, lines.reshape(tall.shape), labels, strict=True)
        lines |= np.concatenate([filled_loops(*digit) for digit in each])
    distance = cv2.distanceTransform(1 - lines, cv2.DIST_L2, cv2.DIST_MASK_5)
    distance = cv2.GaussianBlur(distance, (0, 0), SMOOTHING) - _SMOOTHING_LIFT
    field = np.clip(255 - STEPS_PER_PX * distance, 0, 255)
    fields = np.ascontiguousarray(field.reshape(n, room, room)[inner]).astype(np.uint8)
    # The warp reads the border for all that lies outside.
    fields[:, [0, -1]] = 0
    fields[:, :, [0, -1]] = 0
    return fields
