"""What all that is drawn over numbers shares: the room of their ink, their box, its lines."""

import cv2
import numpy as np
import numpy.typing as npt

from shards import canvas

# The room that `fit` gives to ink: its first column and row, and the first beyond it.
RIGHT = canvas.WIDTH - canvas.RIGHT_MARGIN
LEFT = RIGHT - canvas.INK_WIDTH
TOP = (canvas.HEIGHT - canvas.INK_HEIGHT) // 2
BOTTOM = TOP + canvas.INK_HEIGHT
ROOM = slice(TOP, BOTTOM), slice(LEFT, RIGHT)

_BITS = 4  # of a fraction of a px


def extents(boxes: npt.NDArray[np.int16]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a number's ink, the last two beyond it, in px.

    `boxes` is int16 (k, 4): x, y, width and height of each digit's ink; 0 where absent.
    """
    x, y, width, height = boxes[boxes[:, 2] > 0].T
    return int(x.min()), int(y.min()), int((x + width).max()), int((y + height).max())


def draw_line(
    image: npt.NDArray[np.uint8], points: npt.NDArray[np.float64], level: int, pen: int
) -> None:
    """Draw one line with soft edges, in place.

    Args:
        image: uint8 (h, w).
        points: (k, 2), x and y in px.
        level: 0 to 255.
        pen: px, at least 1.
    """
    fixed = np.rint(points * (1 << _BITS)).astype(np.int32)[:, None]
    cv2.polylines(image, [fixed], False, level, pen, cv2.LINE_AA, _BITS)
