"""Renders numbers: the one function between a bank of digits and labelled images."""

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.layout import ROOMS, Layout, Room, lay_out
from generator.recipe import PRESETS, Recipe
from generator.sample import Numbers, draw
from generator.warp import TILE_HEIGHT, TILE_WIDTH, warp
from shards import canvas
from shards.labels import MAX_DIGITS
from shards.record import Samples

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

# Samples rendered together: their tiles and maps stay in the cache.
CHUNK = 256
# Fainter than this is no ink, here as in fit().
INK = 32
# Numbers that came out too large are laid out again: so much smaller than their excess asks for,
# or by a step where ink reached the edge of its tile and the excess is unknown.
SLACK, STEP = 0.985, 0.93
TRIES = 40
# Room around the canvas for what is not yet in its place.
_SIDE, _ABOVE = 48, 8


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
        wide, boxes, cut = _compose(_ink(bank, layout), layout, len(rows))
        bounds = _bounds(wide)
        width, height = bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]
        fits = (height <= room.height) & (width <= room.width) & ~cut
        move = _moves(room, ~some.anywhere & (recipe.frame == "ink"), bounds)
        for k in np.flatnonzero(fits):
            x, y = _SIDE - move[k, 0], _ABOVE - move[k, 1]
            samples.images[rows[k]] = wide[k, y : y + canvas.HEIGHT, x : x + canvas.WIDTH]
        boxes[..., :2] += move[:, None, :]
        boxes[some.digits < 0] = 0
        samples.boxes[rows[fits]] = boxes[fits]
        if fits.all():
            return
        excess = np.maximum(height / room.height, width / room.width)
        shrink *= np.where(cut, STEP, SLACK / excess)
        rows, shrink = rows[~fits], shrink[~fits]
    bad = numbers.take(rows[:1])
    raise RuntimeError(f"digits {bad.digits} of bank rows {bad.glyphs} do not fit the canvas")


def _ink(bank: Bank, layout: Layout) -> U8:
    """Tiles uint8 (d, 32, 40): the digits warped and inked."""
    tiles = np.empty((len(layout.glyph), TILE_HEIGHT, TILE_WIDTH), np.uint8)
    for glyphs, chosen in ((bank.lines, layout.inked_anew), (bank.images, ~layout.inked_anew)):
        rows = np.flatnonzero(chosen)
        if len(rows):
            tiles[rows] = warp(glyphs, layout.glyph[rows], layout.maps.take(rows))
    ink = tiles * layout.gain[:, None, None] + layout.bias[:, None, None]
    return np.clip(ink, 0, 255, out=ink).astype(np.uint8)


def _compose(tiles: U8, layout: Layout, count: int) -> tuple[U8, I64, npt.NDArray[np.bool_]]:
    """Set tiles into n numbers.

    Returns:
        uint8 (n, 48, 224), each number on a canvas with room around it; int64 (n, 5, 4), the boxes
        of its digits; bool (n,), whether a digit's ink reached the edge of its tile.
    """
    wide = np.zeros((count, canvas.HEIGHT + 2 * _ABOVE, canvas.WIDTH + 2 * _SIDE), np.uint8)
    columns = layout.column + _SIDE
    for owner, column, tile in zip(layout.owner.tolist(), columns.tolist(), tiles, strict=True):
        spot = wide[owner, _ABOVE:-_ABOVE, column : column + TILE_WIDTH]
        np.maximum(spot, tile, out=spot)
    left, top, right, bottom = _bounds(tiles).T
    boxes = np.zeros((count, MAX_DIGITS, 4), np.int64)
    boxes[layout.owner, layout.place] = np.stack(
        [left + layout.column, top, right - left, bottom - top], axis=1
    )
    at_edge = (left == 0) | (top == 0) | (right == TILE_WIDTH) | (bottom == TILE_HEIGHT)
    cut = np.zeros(count, np.bool_)
    cut[layout.owner[at_edge]] = True
    return wide, boxes, cut


def _bounds(images: U8) -> I64:
    """(n, 4): left, top, right, bottom of the ink of each image; right and bottom exclusive."""
    columns, rows = images.max(axis=1) >= INK, images.max(axis=2) >= INK
    left, top = columns.argmax(axis=1), rows.argmax(axis=1)
    right = columns.shape[1] - columns[:, ::-1].argmax(axis=1)
    bottom = rows.shape[1] - rows[:, ::-1].argmax(axis=1)
    return np.stack([left, top, right, bottom], axis=1)


def _moves(room: Room, exact: npt.NDArray[np.bool_], bounds: I64) -> I64:
    """(n, 2): px across and down that bring each number's ink into the room.

    Where `exact`, it is right-aligned and centred as fit() does; elsewhere it moves only as far as
    it stands out.
    """
    left, top, right, bottom = bounds.T - np.array([[_SIDE], [_ABOVE], [_SIDE], [_ABOVE]])
    spare_x, spare_y = room.width - (right - left), room.height - (bottom - top)
    x, y = room.left - left, room.top - top
    loose = np.stack([np.clip(0, x, x + spare_x), np.clip(0, y, y + spare_y)], axis=1)
    return np.where(exact[:, None], np.stack([x + spare_x, y + spare_y // 2], axis=1), loose)
