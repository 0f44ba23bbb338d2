"""Ink: strokes drawn by a round pen."""

import cv2
import numpy as np

SIDE = 64
_FRAME = 58  # the ink's longer side at most, in pixels
_USUAL_HEIGHT = 46  # of a digit of size 1, in pixels
_FINER = 4  # drawn this much larger, then averaged
_SHIFT = 4  # fractional bits of OpenCV's coordinates
_GREYS = 15  # 16 levels: indistinguishable, and the PNG is half as large


def place(
    strokes: list[np.ndarray], pen_width: float, size: float = 1.0
) -> tuple[list[np.ndarray], float]:
    """Place strokes in a picture, the ink box centred.

    Args:
        strokes: Each float (points, 2), unit digit height, y down.
        pen_width: In digit heights.
        size: Height of the digit against the usual; large and wide ones are shrunk into the frame.

    Returns:
        The strokes and the width of the pen, in pixels of a picture SIDE wide and high.
    """
    everything = np.concatenate(strokes)
    low, high = everything.min(0), everything.max(0)
    scale = min(_USUAL_HEIGHT * size, _FRAME / (float((high - low).max()) + pen_width))
    offset = SIDE / 2 - scale * (low + high) / 2
    return [stroke * scale + offset for stroke in strokes], pen_width * scale


def ink(strokes: list[np.ndarray], pen: float) -> np.ndarray:
    """Draw strokes, in pixels, by a pen `pen` pixels wide.

    Returns uint8 (64, 64), dark ink (0) on white (255), anti-aliased, 16 grey levels.
    """
    paper = np.zeros((SIDE * _FINER, SIDE * _FINER), np.uint8)
    lines = [_fixed_point(stroke) for stroke in strokes]
    thickness = max(1, round(pen * _FINER))
    cv2.polylines(paper, lines, False, 255, thickness, cv2.LINE_AA, _SHIFT)
    fine = cv2.resize(paper, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey: np.ndarray = 255 - np.rint(fine * (_GREYS / 255)) * (255 // _GREYS)
    return grey.astype(np.uint8)


def _fixed_point(pixels: np.ndarray) -> np.ndarray:
    return np.rint((pixels * _FINER - 0.5) * (1 << _SHIFT)).astype(np.int32)[:, None]
