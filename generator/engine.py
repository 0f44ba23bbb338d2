"""Renders numbers: the one function between a bank of digits and labelled images."""

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.layout import NARROW, ROOMS, Layout, Room, lay_out
from generator.recipe import PRESETS, Recipe
from generator.sample import Numbers, draw
from generator.warp import TILE_HEIGHT, TILE_WIDTH, warp
from shards import canvas
from shards.labels import MAX_DIGITS
from shards.record import Samples

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Samples rendered together: their tiles and maps stay in the cache.
CHUNK = 512
# Fainter than this is no ink, here as in fit().
INK = canvas.FAINT
# The bits that make a byte INK, 32, or more, in each byte of a lane of eight.
INK_BITS = np.uint64(0xE0E0E0E0E0E0E0E0)
# Numbers that came out too large are laid out again: so much smaller than their excess asks for,
# or by a step where ink reached the edge of its tile and the excess is unknown.
SLACK, STEP = 0.985, 0.93
TRIES = 40
# Room around the canvas for the empty margins of tiles.
SIDE, ABOVE = 24, 12


def render(bank: Bank, split: str, recipe: Recipe, seed: int, start: int, count: int) -> Samples:
    """Render the samples `start` to `start + count` of the stream `seed`.

    Sample i depends on (bank, split, recipe, seed, i) alone: any division of a range gives the
    same images.

    Args:
        bank: Where the digits come from.
        split: "train", "val" or "test": whose writers' digits are used.
        recipe: The ranges to draw from.
        seed: 0 to 2**64 - 1.
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
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        part = samples.part(first, first + size)
        numbers = draw(bank, split, recipe, seed, start + first, size)
        _render_rows(bank, recipe, numbers, np.flatnonzero(~numbers.by_reference), part)
        if numbers.by_reference.any():
            other = PRESETS["reference"]
            rows = np.flatnonzero(numbers.by_reference)
            numbers = draw(bank, split, other, seed, start + first, size)
            _render_rows(bank, other, numbers, rows, part)
    return samples


def _render_rows(bank: Bank, recipe: Recipe, numbers: Numbers, rows: I64, samples: Samples) -> None:
    """Render these rows of `numbers` into the same rows of `samples`."""
    samples.digits[rows] = numbers.digits[rows]
    samples.ids[rows] = numbers.glyphs[rows]
    room = ROOMS[recipe.frame]
    shrink = np.ones(len(rows))
    for _ in range(TRIES):
        some = numbers.take(rows)
        layout = lay_out(bank, recipe, some, shrink)
        tiles = _ink(bank, layout)
        boxes, cut = _measure(tiles, layout, some)
        bounds = _union(boxes, some)
        width, height = bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]
        fits = (height <= room.height) & (width <= room.width) & ~cut
        move = _moves(room, ~some.anywhere & (recipe.frame == "ink"), bounds)
        done = rows[fits]
        samples.images[done] = _compose(tiles, layout, move)[fits]
        boxes[..., :2] += move[:, None, :]
        boxes[~some.present] = 0
        samples.boxes[done] = boxes[fits]
        if fits.all():
            return
        excess = np.maximum(height / room.height, width / room.width)
        shrink *= np.where(cut, STEP, SLACK / excess)
        rows, shrink = rows[~fits], shrink[~fits]
    bad = numbers.take(rows[:1])
    raise RuntimeError(f"digits {bad.digits} of bank rows {bad.glyphs} do not fit the canvas")


def _ink(bank: Bank, layout: Layout) -> U8:
    """Tiles uint8 (d, 32, 40): the digits warped and inked."""
    tiles = np.zeros((len(layout.glyph), TILE_HEIGHT, TILE_WIDTH), np.uint8)
    for glyphs, anew in ((bank.lines, True), (bank.images, False)):
        for margin in (0, NARROW):
            rows = np.flatnonzero((layout.inked_anew == anew) & (layout.margin == margin))
            if len(rows):
                columns = slice(margin, TILE_WIDTH - margin)
                warped = warp(glyphs, layout.glyph[rows], layout.maps.take(rows, columns))
                tiles[rows, :, columns] = _ramp(warped, layout.gain[rows], layout.bias[rows])
    return tiles


def _ramp(tiles: U8, gain: F32, bias: F32) -> U8:
    """Turn what the warp read into ink: value * gain + bias, cut to 0..255."""
    if (gain == 1).all() and not bias.any():
        return tiles
    ink = tiles * gain[:, None, None]
    ink += bias[:, None, None]
    return np.clip(ink, 0, 255, out=ink).astype(np.uint8)


def _measure(tiles: U8, layout: Layout, numbers: Numbers) -> tuple[I64, Bools]:
    """Boxes (n, 5, 4) of the ink of each digit, and whether any reached the edge of its tile."""
    # Eight pixels at once: a pixel is ink if one of its upper three bits is set.
    lanes = tiles.view(np.uint64)
    columns = np.bitwise_or.reduce(lanes, axis=1).view(np.uint8) >= INK
    rows = (np.bitwise_or.reduce(lanes, axis=2) & INK_BITS) != 0
    left, top = columns.argmax(axis=1), rows.argmax(axis=1)
    right = TILE_WIDTH - columns[:, ::-1].argmax(axis=1)
    bottom = TILE_HEIGHT - rows[:, ::-1].argmax(axis=1)
    boxes = np.zeros((len(numbers), MAX_DIGITS, 4), np.int64)
    boxes[layout.owner, layout.place] = np.stack(
        [left + layout.column, top, right - left, bottom - top], axis=1
    )
    at_edge = (left == layout.margin) | (right == TILE_WIDTH - layout.margin)
    at_edge |= (top == 0) | (bottom == TILE_HEIGHT)
    cut = np.zeros(len(numbers), np.bool_)
    cut[layout.owner[at_edge]] = True
    return boxes, cut


def _union(boxes: I64, numbers: Numbers) -> I64:
    """Left, top, right and bottom (n, 4) of the ink of each number."""
    there = numbers.present[..., None]
    low = np.where(there, boxes[..., :2], canvas.WIDTH).min(axis=1)
    high = np.where(there, boxes[..., :2] + boxes[..., 2:], -canvas.WIDTH).max(axis=1)
    return np.concatenate([low, high], axis=1)


def _compose(tiles: U8, layout: Layout, move: I64) -> U8:
    """Set tiles into n numbers, uint8 (n, 32, 128), by the lighter pixel, moved into place."""
    shape = (len(move), canvas.HEIGHT + 2 * ABOVE, canvas.WIDTH + 2 * SIDE)
    wide = np.zeros(shape, np.uint8)
    x = np.clip(layout.column + move[layout.owner, 0] + SIDE, 0, shape[2] - TILE_WIDTH)
    y = np.clip(move[layout.owner, 1] + ABOVE, 0, 2 * ABOVE)
    places = zip(layout.owner.tolist(), x.tolist(), y.tolist(), tiles, strict=True)
    for owner, left, top, tile in places:
        spot = wide[owner, top : top + TILE_HEIGHT, left : left + TILE_WIDTH]
        np.maximum(spot, tile, out=spot)
    return wide[:, ABOVE:-ABOVE, SIDE:-SIDE]


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
