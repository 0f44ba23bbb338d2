"""The frame in which the bank keeps a digit, and how far its ink reaches in each direction."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from shards.strokes import Stroke, bounds, ink

U8 = npt.NDArray[np.uint8]
I8 = npt.NDArray[np.int8]

# Twice MNIST's 28 px: its digits enter without loss, and scans keep more of their detail.
SIZE = 56
CENTRE = SIZE / 2
UNITS_PER_PX = 2
INK_SIZE = 40
DIRECTIONS = 64
REACH_STEPS = 4
# Fainter pixels at the rim of a digit are no ink.
FAINT = 16
_FINER = 8  # strokes are drawn so much larger than their ink in the frame
_FRACTION = 4  # bits of OpenCV's coordinates


def directions() -> npt.NDArray[np.float64]:
    """float64 (64, 2): unit vectors (x, y), counted from +x towards +y."""
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def from_mnist(images: U8) -> tuple[U8, I8]:
    """Double 28x28 digits into glyph frames.

    Args:
        images: uint8 (n, 28, 28), white ink on black, centred by mass as MNIST is.

    Returns:
        uint8 (n, 56, 56), the ink's box centred; int8 (n, 2), the box's centre (x, y) in glyph px
        from the centre of mass.
    """
    side = images.shape[1] * UNITS_PER_PX
    doubled = [cv2.resize(i, (side, side), interpolation=cv2.INTER_CUBIC) for i in images]
    framed = [_frame(d, (side / 2, side / 2)) for d in doubled]
    return np.stack([frame for frame, _ in framed]), np.stack([offset for _, offset in framed])


def from_ink(ink: npt.NDArray[np.float32]) -> tuple[U8, I8]:
    """Scale one digit to 40 px ink and set it into the glyph frame.

    Args:
        ink: float32 (h, w), 0 to 255, white ink on black, not empty.

    Returns:
        uint8 (56, 56) and int8 (2,), as `from_mnist`.
    """
    left, top, right, bottom = _box(ink > 0)
    crop = ink[top:bottom, left:right]
    factor = INK_SIZE / max(crop.shape)
    width, height = (max(1, round(side * factor)) for side in crop.shape[::-1])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(crop, (width, height), interpolation=how)
    small *= 255 / small.max()
    weight = small.sum()
    mass = (
        float(small.sum(axis=0) @ (np.arange(width) + 0.5) / weight),
        float(small.sum(axis=1) @ (np.arange(height) + 0.5) / weight),
    )
    return _frame(np.clip(small + 0.5, 0, 255).astype(np.uint8), mass)


def from_strokes(strokes: Sequence[Stroke], pen: float) -> tuple[U8, I8, U8]:
    """Draw a digit's strokes, y down, by a round pen `pen` wide, and set it into the glyph frame.

    Returns:
        uint8 (56, 56) and int8 (2,), as `from_mnist`; and uint8 (56, 56), the strokes in the same
        place as lines one pixel wide, 255 on 0.
    """
    image, offset = from_ink(ink(strokes, pen, INK_SIZE * _FINER).astype(np.float32))
    low, high = bounds(strokes)
    scale = INK_SIZE / (float((high - low).max()) + pen)
    # The middle of a pixel has whole coordinates.
    placed = [(stroke - (low + high) / 2) * scale + (CENTRE - 0.5) for stroke in strokes]
    lines = [np.rint(points * (1 << _FRACTION)).astype(np.int32)[:, None] for points in placed]
    hairline = np.zeros((SIZE, SIZE), np.uint8)
    cv2.polylines(hairline, lines, False, 255, 1, cv2.LINE_8, _FRACTION)
    return image, offset, hairline


def _frame(picture: U8, mass: tuple[float, float]) -> tuple[U8, I8]:
    """Centre the box of the ink; a border of at least 1 px stays free for the warp to clamp to."""
    left, top, right, bottom = _box(picture >= FAINT)
    crop = picture[top:bottom, left:right]
    height, width = crop.shape
    x, y = (SIZE - width) // 2, (SIZE - height) // 2
    frame = np.zeros((SIZE, SIZE), np.uint8)
    frame[y : y + height, x : x + width] = crop
    offset = (left - mass[0] + CENTRE - x, top - mass[1] + CENTRE - y)
    return frame, np.round(offset).astype(np.int8)


def _box(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def reach(masks: npt.NDArray[np.bool_]) -> U8:
    """How far the marked pixels reach from the frame's centre: their support function.

    Args:
        masks: bool (n, 56, 56).

    Returns:
        uint8 (n, 64): quarter px along each of `directions()`, rounded up; 0 for an empty mask.
    """
    columns = np.arange(SIZE)
    rows_used = masks.any(axis=2)
    left = np.where(rows_used, masks.argmax(axis=2), SIZE)
    right = np.where(rows_used, SIZE - 1 - masks[:, :, ::-1].argmax(axis=2), -1)
    y = columns - CENTRE
    out = np.zeros((len(masks), DIRECTIONS), np.uint8)
    for k, (dx, dy) in enumerate(directions()):
        # A pixel is a square: its far corner in this direction counts.
        x = (right + 1 if dx > 0 else left) - CENTRE
        far = np.where(rows_used, dx * x + dy * (y + (1 if dy > 0 else 0)), 0).max(axis=1)
        out[:, k] = np.clip(np.ceil(far * REACH_STEPS), 0, 255)
    return out
