"""What a pen wrote: strokes as lists of points, their JSON, and their ink."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from shards.errors import UserError
from shards.labels import check_label

Stroke = npt.NDArray[np.float64]  # (points, 2): x and y, y down
U8 = npt.NDArray[np.uint8]

# Room for any tablet or screen; beyond it, arithmetic on points would lose them.
FARTHEST = 1e9
_FRACTION = 4  # bits of OpenCV's coordinates
_RIM = 2  # px that the soft edge of ink may reach beyond the pen


@dataclass(frozen=True)
class Drawing:
    """A digit or a number as it was drawn on a page.

    Attributes:
        label: What it is, 1 to 5 digits.
        pen: Width of the round pen, above 0, in the unit of the points.
        strokes: In the order drawn.
    """

    label: str
    pen: float
    strokes: tuple[Stroke, ...]


def parse_drawing(found: Any) -> Drawing:
    """Return a drawing from {"label": "7", "pen": 45, "strokes": [[[x, y], ...], ...], ...}.

    Other fields are left alone. Raises UserError, saying what is wrong with it.
    """
    if not isinstance(found, dict):
        raise UserError("this is not an object with label, pen and strokes; send one")
    label, pen = found.get("label"), found.get("pen")
    if not isinstance(label, str):
        raise UserError(f"the label is {short(label)}, not a text of 1 to 5 digits; give one")
    return Drawing(check_label(label), parse_pen(pen), parse_strokes(found.get("strokes")))


def parse_pen(found: Any) -> float:
    """Return the width of a pen, 1 / FARTHEST to FARTHEST; UserError for another."""
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    if not is_number or not 1 / FARTHEST <= found <= FARTHEST:  # false for NaN, too
        raise UserError(f"the pen is {short(found)}, not a width above 0; give one")
    return float(found)


def read_drawing(path: Path) -> Drawing:
    """Read the JSON file of a drawing; UserError, naming the file, where it is none."""
    try:
        return parse_drawing(json.loads(path.read_bytes()))
    except (ValueError, RecursionError) as error:  # of json, of UTF-8, and our own
        raise UserError(f"{path} is no drawing ({error}); mend or remove it") from error


def parse_strokes(found: Any) -> tuple[Stroke, ...]:
    """Return strokes from their JSON, [[[x, y], ...], ...]: each float64 (points, 2).

    Raises UserError, saying what is wrong, unless there is a stroke and each has a point, all of
    two numbers within FARTHEST of 0.
    """
    if not isinstance(found, list) or not found:
        raise UserError("there are no strokes")
    return tuple(_stroke(points, number) for number, points in enumerate(found, 1))


def _stroke(points: Any, number: int) -> Stroke:
    if not isinstance(points, list) or not points:
        raise UserError(f"stroke {number} is empty")
    try:
        array = np.array(points)
    except ValueError:  # points of different lengths
        array = np.empty(0)
    if array.dtype.kind not in "iuf" or array.shape != (len(points), 2):
        raise UserError(f"stroke {number} is not a list of points [x, y]")
    if not (np.abs(array) <= FARTHEST).all():  # false for NaN, too
        raise UserError(f"stroke {number} has a point that is not within {FARTHEST:g} of 0")
    return array.astype(np.float64)


def bounds(strokes: Sequence[Stroke]) -> tuple[Stroke, Stroke]:
    """Return the least and the greatest x and y, float64 (2,) each."""
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def paint(layer: U8, strokes: Sequence[Stroke], pen: float) -> None:
    """Draw strokes, in px, onto `layer`, uint8 (height, width), in white by a pen `pen` px wide."""
    # A stroke of one point is a line from it to itself: a dot.
    lines = [_fixed_point(stroke[[0, *range(len(stroke))]]) for stroke in strokes]
    cv2.polylines(layer, lines, False, 255, max(1, round(pen)), cv2.LINE_AA, _FRACTION)


def ink(strokes: Sequence[Stroke], pen: float, side: int) -> U8:
    """Draw strokes so that the longer side of their ink has `side` px.

    Args:
        strokes: At least one, in any unit.
        pen: Width of a round pen in that unit, above 0.
        side: The length, 1 to 4,096.

    Returns:
        uint8 (height, width), white ink on black with a rim of 2 px, of which its soft edge takes
        one on the left and above, and both on the right and below.
    """
    low, high = bounds(strokes)
    scale = side / (float((high - low).max()) + pen)
    width, height = np.ceil((high - low + pen) * scale).astype(int).tolist()
    layer = np.zeros((height + 2 * _RIM, width + 2 * _RIM), np.uint8)
    corner = pen * scale / 2 + _RIM
    paint(layer, [(stroke - low) * scale + corner for stroke in strokes], pen * scale)
    return layer


def _fixed_point(pixels: Stroke) -> npt.NDArray[np.int32]:
    return np.rint(pixels * (1 << _FRACTION)).astype(np.int32)[:, None]
