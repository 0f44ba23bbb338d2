"""Renders numbers: the one function between a bank of digits and labelled images."""

import dataclasses
import threading
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.compose import Sheet
from generator.doodles import scrawl
from generator.ink import Inker, Strip
from generator.layout import ROOMS, Layout, Room, lay_out
from generator.marks import mark
from generator.paper import soil
from generator.pen.numbers import write
from generator.recipe import PRESETS, Recipe
from generator.rng import coarse_uniforms
from generator.rules import rule
from generator.sample import DRAWS, Numbers, from_uniforms
from generator.scan import scan
from generator.strays import stray
from shards import canvas
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.record import Samples

I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Samples rendered together: enough of them that strips of tiles of one size are full.
CHUNK = 2048
# Numbers that came out too large are laid out again: so much smaller than their excess asks for,
# or by a step where ink reached the edge of its tile and the excess is unknown.
SLACK, STEP = 0.985, 0.93
# From the try CALM on, at full size again, a number is bent, turned, moved and scaled half as
# much each time: one that no size fits would else end as a dot.
CALM, TRIES = 10, 40
# A digit with less ink than this share of what it should reach, and 1 px, is inked anew.
LEAST_INK = 0.7


def render(bank: Bank, split: str, recipe: Recipe, seed: int, start: int, count: int) -> Samples:
    """Render the samples `start` to `start + count` of the stream `seed`.

    Sample i depends on (bank, split, recipe, seed, i) alone: any division of a range gives the
    same images.

    Args:
        bank: Where the digits come from.
        split: "train", "val" or "test": whose writers' digits are used.
        recipe: The ranges to draw from.
        seed: 0 to 2**63 - 1.
        start: First sample, at least 0.
        count: How many.

    Returns:
        Samples; images uint8 (count, 32, 128).

    Raises:
        UserError: The split of the bank lacks a digit.
    """
    samples = Samples(
        images=np.zeros((count, canvas.HEIGHT, canvas.WIDTH), np.uint8),
        digits=np.full((count, MAX_DIGITS), -1, np.int8),
        boxes=np.zeros((count, MAX_DIGITS, 4), np.int16),
        ids=np.full((count, MAX_DIGITS), -1, np.int64),
    )
    renderer = _renderer(bank, threading.get_ident())
    other = dataclasses.replace(
        PRESETS["reference"], digits=recipe.digits, leading_zeros=recipe.leading_zeros
    )
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        part = samples.part(first, first + size)
        u = coarse_uniforms(seed, start + first, size, DRAWS)
        numbers = from_uniforms(bank, split, recipe, u)
        by_pen, by_reference = numbers.written, numbers.by_reference & ~numbers.written
        if by_pen.any():
            rows = np.flatnonzero(by_pen)
            _put(write(split, numbers.take(rows), seed, start + first + rows), part, rows)
        if not (by_pen | by_reference).all():
            rows = np.flatnonzero(~by_pen & ~by_reference)
            renderer.render(recipe, numbers.take(rows), rows, part)
        if by_reference.any():
            rows = np.flatnonzero(by_reference)
            others = from_uniforms(bank, split, other, u[rows])
            renderer.render(other, others, rows, part)
        _overlay(part, numbers, ~by_reference, seed, start + first)
    return samples


def _overlay(samples: Samples, numbers: Numbers, able: Bools, seed: int, start: int) -> None:
    """Lay over the images of the `able` what is no digit of theirs, and wear their ink."""

    def rows(flags: Bools) -> I64:
        return np.flatnonzero(flags & able)

    images, boxes, anywhere = samples.images, samples.boxes, numbers.anywhere
    mark(images, boxes, rows(numbers.marked), seed, start)
    stray(images, boxes, rows(numbers.strayed & anywhere), seed, start)
    rule(images, boxes, anywhere, rows(numbers.ruled), seed, start)
    soil(images, rows(numbers.uneven), rows(numbers.broken), rows(numbers.specked), seed, start)
    scan(images, boxes, anywhere, rows(numbers.scanned), seed, start)
    scrawl(images, boxes, rows(numbers.doodled), seed, start)


def _put(some: Samples, samples: Samples, rows: I64) -> None:
    """Put `some` samples into these rows of `samples`."""
    for name in ("images", "digits", "boxes", "ids"):
        getattr(samples, name)[rows] = getattr(some, name)


@lru_cache(maxsize=4)
def _renderer(bank: Bank, thread: int) -> "_Renderer":  # noqa: ARG001
    """The renderer of a thread: its buffers serve one call at a time."""
    return _Renderer(bank)


class _Renderer:
    """Renders chunk after chunk in the same buffers."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._inker = Inker(bank)
        self._sheet = Sheet(CHUNK)

    def render(self, recipe: Recipe, numbers: Numbers, rows: I64, samples: Samples) -> None:
        """Render n numbers into these rows (n,) of `samples`."""
        samples.digits[rows] = numbers.digits
        samples.ids[rows] = numbers.glyphs
        room = ROOMS[recipe.frame]
        shrink = np.ones(len(rows), np.float32)
        for tried in range(TRIES):
            layout = lay_out(self._bank, recipe, numbers, shrink, small=not tried)
            strips = self._inker.ink(layout)
            boxes, cut, lost = _measure(strips, layout, numbers)
            bounds = _union(boxes, numbers)
            width, height = bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]
            fits = (height <= room.height) & (width <= room.width) & ~cut & ~lost
            move = _moves(room, ~numbers.anywhere & (recipe.frame == "ink"), bounds)
            done = rows[fits]
            samples.images[done] = self._sheet.compose(strips, layout, move, fits)
            boxes[..., :2] += move[:, None, :]
            boxes[~numbers.present] = 0
            samples.boxes[done] = boxes[fits]
            if fits.all():
                return
            excess = np.maximum(height / room.height, width / room.width)
            shrink *= np.where(lost, 1, np.where(cut, STEP, SLACK / np.maximum(excess, 1)))
            again = np.flatnonzero(~fits)
            rows, shrink, numbers = rows[again], shrink[again], numbers.take(again)
            numbers.inked_anew[lost[again]] = True
            if tried >= CALM:
                numbers = numbers.calmer()
            if tried == CALM:
                shrink[:] = 1
        there = numbers.present[0]
        digits, places = (
            ", ".join(map(str, row[0, there].tolist())) for row in (numbers.digits, numbers.glyphs)
        )
        raise UserError(
            f"the digits {digits} of the bank's rows {places} do not fit the canvas in any size; "
            "look for pictures that are no digits with `generator doctor`, and make the bank anew"
        )


def _measure(strips: list[Strip], layout: Layout, numbers: Numbers) -> tuple[I64, Bools, Bools]:
    """Boxes (n, 5, 4) of the ink of each digit; which numbers a tile has cut, and which lost ink.

    A thin grey line that is drawn very small falls between the pixels.
    """
    boxes = np.zeros((len(numbers), MAX_DIGITS, 4), np.int64)
    cut, lost = np.zeros((2, len(numbers)), np.bool_)
    for strip in strips:
        owner, extent = layout.owner[strip.digits], layout.extent[strip.digits]
        found, bad = strip.measure()
        boxes[owner, layout.place[strip.digits]] = found
        cut[owner[bad]] = True
        lost[owner[(found[:, 2:] < np.maximum(LEAST_INK * extent - 1, 1)).any(axis=1)]] = True
    return boxes, cut, lost & ~numbers.inked_anew


def _union(boxes: I64, numbers: Numbers) -> I64:
    """Left, top, right and bottom (n, 4) of the ink of each number."""
    there = numbers.present[..., None]
    low = np.where(there, boxes[..., :2], canvas.WIDTH).min(axis=1)
    high = np.where(there, boxes[..., :2] + boxes[..., 2:], -canvas.WIDTH).max(axis=1)
    return np.concatenate([low, high], axis=1)


def _moves(room: Room, exact: Bools, bounds: I64) -> I64:
    """(n, 2): px across and down that bring each number's ink into the room.

    Where `exact`, it is right-aligned and centred as fit() does; elsewhere it moves only as far as
    it stands out.
    """
    left, top, right, bottom = bounds.T
    spare_x, spare_y = room.width - (right - left), room.height - (bottom - top)
    x, y = room.left - left, room.top - top
    loose = np.stack([np.clip(0, x, x + spare_x), np.clip(0, y, y + spare_y)], axis=1)
    return np.where(exact[:, None], np.stack([x + spare_x, y + spare_y // 2], axis=1), loose)
