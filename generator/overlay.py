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


def present(boxes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """The boxes of a number's digits, a view (k, 4) of all five, int16 (5, 4)."""
    return boxes[: np.count_nonzero(boxes[:, 2])]


def make_room(
    image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.int16], column: int, space: int
) -> bool:
    """Move all that is left of a column `space` px away from it, in place.

    Args:
        image: uint8 (32, 128).
        boxes: int16 (k, 4), of its digits from the left; those left of the column move, too.
        column: px.
        space: px, 0 or more.

    Returns:
        False, and nothing has moved, where a digit would leave the room.
    """
    there = boxes[:, 0] + boxes[:, 2] <= column
    if boxes[:, 0].min() - space < LEFT:
        return False
    image[:, : column - space] = image[:, space:column].copy()
    image[:, column - space : column] = 0
    boxes[there, 0] -= space
    return True


def move(
    image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.int16], across: int, down: int
) -> None:
    """Move an image (32, 128) and the boxes (k, 4) of its digits, in place.

    By px, either sign, fewer than a side has. What passes an edge is lost.
    """
    rows, columns = (
        (slice(max(by, 0), size + min(by, 0)), slice(max(-by, 0), size + min(-by, 0)))
        for by, size in zip((down, across), image.shape, strict=True)
    )
    moved = np.zeros_like(image)
    moved[rows[0], columns[0]] = image[rows[1], columns[1]]
    image[...] = moved
    boxes[:, :2] += np.array([across, down], np.int16)


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
