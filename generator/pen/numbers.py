"""Whole numbers by the pen model: one writer, one pen, digits set and joined as hands do."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from generator.pen import batch, placing, raster
from generator.pen.batch import Strokes, write_digits
from generator.pen.hands import Hands, draw_hands
from generator.pen.joins import join
from generator.pen.raster import Lines
from generator.pen.shapes import shapes
from generator.pen.spacing import Line, set_digits
from generator.rng import coarse_uniforms_of
from generator.sample import Numbers
from shards.labels import MAX_DIGITS
from shards.record import Samples

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

NAME = "pen numbers"  # of the source, which is in no bank
# Ids lie above those of any bank: FIRST_ID + 10 * writer + digit. No hand is in two splits.
FIRST_ID = 10**9
WRITERS = {
    "train": (0, 700_000_000),
    "val": (700_000_000, 800_000_000),
    "test": (800_000_000, 900_000_000),
}
DIGIT_HEIGHT = 20  # px of the recipe's frame
# Numbers written together: their points stay in the cache.
_BLOCK = 256
# Uniform draws of a number: its writer, the line's sag and shrinking, the writer once more (there
# are more writers than numbers in single precision), one to spare, since draws come in eights, and
# a join for each digit.
_DRAWS = 5 + MAX_DIGITS


def source() -> dict[str, Any]:
    """The pen model as a manifest lists a source; its writers are ranges of model hands."""
    table = shapes()
    digest = hashlib.sha256()
    for array in (table.control, table.last, table.chance):
        digest.update(np.ascontiguousarray(array).tobytes())
    ranges = [
        [f"hands {a} to {b - 1}", split, FIRST_ID + 10 * a, FIRST_ID + 10 * b]
        for split, (a, b) in WRITERS.items()
    ]
    return {
        "name": NAME,
        "licence": "CC0",
        "count": 10 * max(stop for _, stop in WRITERS.values()),
        "sha256": digest.hexdigest(),
        "writers": ranges,
    }


def write(split: str, numbers: Numbers, seed: int, samples: I64) -> Samples:
    """Write n numbers, at least one.

    Each depends on its labels and style in `numbers`, the split, the seed and its sample alone.

    Args:
        split: Whose hands write.
        numbers: Labels, pen, spacing, sizes and place are used.
        seed: 0 to 2**63 - 1.
        samples: int64 (n,), the number's place in the stream.

    Returns:
        Samples; images uint8 (n, 32, 128).
    """
    starts = range(0, len(samples), _BLOCK)
    blocks = [np.arange(start, min(start + _BLOCK, len(samples))) for start in starts]
    parts = [_write(split, numbers.take(rows), seed, samples[rows]) for rows in blocks]
    names = ("images", "digits", "boxes", "ids")
    return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _write(split: str, numbers: Numbers, seed: int, samples: I64) -> Samples:
    stream = seed + ((1 + list(WRITERS).index(split)) << 64)
    u = coarse_uniforms_of(stream, samples, _DRAWS + MAX_DIGITS * batch.DRAWS)
    first, stop = WRITERS[split]
    finer = u[:, 0] + u[:, 3].astype(np.float64) / 2**24
    writers = first + np.floor(finer * (stop - first)).astype(np.int64)
    hands = draw_hands(writers)
    owner, place = np.nonzero(numbers.present)
    each = u[:, _DRAWS:].reshape(len(u), MAX_DIGITS, batch.DRAWS)[owner, place]
    lines, pen = _lines(hands, numbers, (owner, place), u[:, 1:_DRAWS], each)
    lines, radii = placing.fit(lines, numbers, pen)
    tiles = raster.ink(lines, radii, numbers.softness)
    boxes = np.zeros((len(u), MAX_DIGITS, 4), np.int16)
    boxes[owner, place] = raster.measure(tiles)
    move = placing.moves(numbers, boxes)
    boxes[..., :2] += move[:, None].astype(np.int16)
    boxes[~numbers.present] = 0
    ids = np.where(numbers.present, FIRST_ID + 10 * writers[:, None] + numbers.digits, -1)
    return Samples(raster.compose(tiles, owner, move), numbers.digits, boxes, ids)


def _lines(
    hands: Hands, numbers: Numbers, at: tuple[I64, I64], u: F32, each: F32
) -> tuple[Lines, F32]:
    """Every line of the numbers and their pens, in digit heights; each begins at x = 0."""
    owner, place = at
    label = numbers.digits[at].astype(np.int64)
    runs_on = u[owner, 4 + place] < hands.flow[owner]
    after_foot = np.zeros(len(label), np.bool_)
    after_foot[1:] = (label[:-1] == 2) & runs_on[:-1] & (place[1:] > 0)
    strokes = write_digits(hands, owner, label, after_foot, each)
    line = _line(hands, numbers, u)
    line = replace(line, pen=_readable(line, strokes, at, label))
    strokes = set_digits(strokes, owner, place, label, line)
    lines = placing.gather(strokes, join(strokes, owner, label, runs_on), owner)
    return placing.rise(lines, np.tan(numbers.rise).astype(np.float32)), line.pen


def _readable(line: Line, strokes: Strokes, at: tuple[I64, I64], label: I64) -> F32:
    """The pens (n,), thinner where they would fill a 0 or blur a small digit."""
    size = line.size[at]
    left, _, right, _ = strokes.boxes()
    most = np.full(line.size.shape, np.inf, np.float32)
    most[at] = size * np.where(label == 0, np.minimum(0.5 * (right - left), 0.24), 0.24)
    return np.asarray(np.minimum(line.pen, most.min(axis=1)))


def _line(hands: Hands, numbers: Numbers, u: F32) -> Line:
    """The line that the numbers stand on: sagging or arched, the digits larger or smaller."""
    every = np.arange(len(numbers))[:, None]
    along = np.arange(MAX_DIGITS, dtype=np.float32) / (MAX_DIGITS - 1)
    digits = np.maximum(numbers.digits, 0)
    sag, shrink = (2 * u[:, :1] - 1) * 0.25, (2 * u[:, 1:2] - 1) * 0.2
    pen, scale, down, gap = (
        np.asarray(lengths, np.float32)
        for lengths in (
            numbers.pen / DIGIT_HEIGHT,
            numbers.scale,
            numbers.shift_y / DIGIT_HEIGHT,
            (numbers.spacing[:, None] + numbers.gap) / DIGIT_HEIGHT,
        )
    )
    return Line(
        pen=pen,
        kern=hands.kern,
        size=scale * hands.size[every, digits] * np.exp(shrink * along),
        down=down + hands.drop[every, digits] + (sag * along * along).astype(np.float32),
        gap=gap,
    )
