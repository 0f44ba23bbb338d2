"""Numbers of strokes: one writer's digits set side by side, inked, brought in by `fit`."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from generator.recipe import Range, Recipe
from generator.rng import uniforms
from generator.sample import between, draw_labels
from generator.sources.strokes import StrokeDigit, StrokeDigits
from shards import canvas
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.record import Samples
from shards.strokes import Stroke, bounds, paint

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

SPLIT = "test"
HEIGHT = 200  # px of a digit of size 1, as drawn
WIDEST = 2.0  # a wider digit is scaled by its width, so that a dash does not become a beam
NUMBER_DRAWS, DIGIT_DRAWS = 4, 8


@dataclass(frozen=True)
class StrokeRecipe:
    """The ranges from which each number and each digit draws uniformly; lengths in digit heights.

    digits: how many. leading_zeros: share of numbers whose first digit may be 0. pen: width, one
    for a number, from a hair to a fingertip. size: factor on each digit's height. baseline: shift
    of each digit, down. gap: room between the ink of neighbours.
    """

    digits: Range = (1, 5)
    leading_zeros: float = Recipe.leading_zeros
    pen: Range = (0.04, 0.22)
    size: Range = (0.85, 1.15)
    baseline: Range = (-0.075, 0.075)
    gap: Range = (-0.05, 0.35)


@dataclass(frozen=True)
class StrokeStream:
    """Numbers of written digits, all in the split `test`; `seed` is 0 to 2**63 - 1."""

    digits: StrokeDigits
    seed: int
    look: StrokeRecipe = field(default_factory=StrokeRecipe)

    def recipe(self) -> dict[str, Any]:
        """Every range, and what tells these numbers from those of a bank."""
        return {"name": "strokes", **dataclasses.asdict(self.look), "drawn_height": HEIGHT}

    def sources(self) -> list[dict[str, Any]]:
        """The file, with the lines of each writer; a digit's id is its line, from 1."""
        digits = self.digits
        return [
            {
                "name": digits.name,
                "licence": digits.licence,
                "count": len(digits.digits),
                "sha256": digits.sha256,
                "writers": [[name, SPLIT, first, stop] for name, first, stop in digits.writers()],
            }
        ]

    def check(self, split: str) -> None:
        """Raise UserError where nobody has written all ten digits, or for another split."""
        if split != SPLIT:
            raise UserError(f"strokes make a {SPLIT} split alone, not {split}")
        hands = self.digits.hands
        if all(len(hand) < 10 for hand in hands.values()):
            best = max(hands, key=lambda name: len(hands[name]))
            missing = ", ".join(str(digit) for digit in range(10) if digit not in hands[best])
            raise UserError(
                f"nobody in {self.digits.name} has written all ten digits; nearest is {best}, who "
                f"lacks {missing}; add them"
            )

    def render(self, split: str, start: int, count: int) -> Samples:
        """Render the samples `start` to `start + count`; images uint8 (count, 32, 128)."""
        self.check(split)
        u = uniforms(self.seed, start, count, NUMBER_DRAWS + MAX_DIGITS * DIGIT_DRAWS)
        length, zero, writer, pen = u[:, :NUMBER_DRAWS].T
        each = u[:, NUMBER_DRAWS:].reshape(count, MAX_DIGITS, DIGIT_DRAWS)
        labels = draw_labels(self.look.digits, self.look.leading_zeros, length, zero, each[..., 0])
        pens = between(self.look.pen, pen) * HEIGHT
        images = np.zeros((count, canvas.HEIGHT, canvas.WIDTH), np.uint8)
        boxes = np.zeros((count, MAX_DIGITS, 4), np.int16)
        ids = np.full((count, MAX_DIGITS), -1, np.int64)
        for row in range(count):
            size = int((labels[row] >= 0).sum())
            digits = self._pick(labels[row, :size], writer[row], each[row, :size, 1])
            placed = lay_out(digits, self.look, pens[row], each[row, :size, 2:5])
            images[row], boxes[row, :size] = fit_layers(ink(placed, pens[row]))
            ids[row, :size] = [digit.line for digit in digits]
        return Samples(images, labels, boxes, ids)

    def _pick(self, labels: npt.NDArray[np.int8], writer: float, which: F64) -> list[StrokeDigit]:
        """Digits of these labels by one writer who has them all."""
        wanted = labels.tolist()
        able = [hand for hand in self.digits.hands.values() if hand.keys() >= set(wanted)]
        hand = able[int(writer * len(able))]
        return [
            hand[label][int(u * len(hand[label]))] for label, u in zip(wanted, which, strict=True)
        ]


def lay_out(
    digits: list[StrokeDigit], look: StrokeRecipe, pen: float, u: F64
) -> list[list[Stroke]]:
    """Place n digits on a line, in px; `u` (n, 3) in [0, 1) decides size, baseline and gap."""
    sizes, shifts, gaps = (
        between(limits, draws) * HEIGHT
        for limits, draws in zip((look.size, look.baseline, look.gap), u.T, strict=True)
    )
    placed, left = [], 0.0
    for digit, size, shift, gap in zip(digits, sizes, shifts, gaps, strict=True):
        low, high = bounds(digit.strokes)
        width, height = high - low
        # A dot has no size to scale.
        scale = size / max(height, width / WIDEST) if max(height, width) > 0 else 1.0
        corner = np.array([low[0], high[1]])
        placed.append([(stroke - corner) * scale + (left, shift) for stroke in digit.strokes])
        left += width * scale + pen + gap
    return placed


def ink(placed: list[list[Stroke]], pen: float) -> U8:
    """Draw n digits with a round pen `pen` px wide: uint8 (n, height, width), each on its own."""
    low, high = bounds([stroke for strokes in placed for stroke in strokes])
    margin = pen / 2 + 2
    low = low - margin
    width, height = np.ceil(high + margin - low).astype(int).tolist()
    layers = np.zeros((len(placed), height, width), np.uint8)
    for layer, strokes in zip(layers, placed, strict=True):
        paint(layer, [stroke - low for stroke in strokes], pen)
    return layers


def fit_layers(layers: U8) -> tuple[U8, npt.NDArray[np.int16]]:
    """Bring a drawing onto the canvas by `fit`, and its digits by the same transform.

    Args:
        layers: uint8 (n, height, width), the n digits, white on black, each drawn on its own.

    Returns:
        The image, uint8 (32, 128), and the boxes of the digits' ink in it, int16 (n, 4): x, y,
        width, height.
    """
    whole = layers.max(axis=0)
    crop = canvas.extents(whole >= canvas.FAINT)
    fitted = canvas.resize(canvas.crop_ink(whole))
    faint = canvas.FAINT * fitted.max() / 255
    left, top = canvas.corner(*fitted.shape)
    boxes = np.zeros((len(layers), 4), np.int16)
    for box, layer in zip(boxes, layers[:, *crop], strict=True):
        digit = canvas.resize(layer.astype(np.float32))
        rows, columns = canvas.extents(digit >= faint)
        box[:] = left + columns.start, top + rows.start, _length(columns), _length(rows)
    return canvas.place(fitted), boxes


def _length(span: slice) -> int:
    return int(span.stop - span.start)
