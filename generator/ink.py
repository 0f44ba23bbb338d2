"""Inks the digits of a layout, warped from the bank a strip of tiles at a time, and measures."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.glyph import SIZE
from generator.layout import Layout
from generator.warp import ATLAS, TILE_HEIGHT, TILE_WIDTH, Warp
from shards import canvas

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

# Fainter than this is no ink, here as in fit().
INK = canvas.FAINT
# The bits that make a byte INK, 32, or more, in each byte of a lane of eight.
INK_BITS = np.uint64(0xE0E0E0E0E0E0E0E0)
# The widest empty rims of a tile, on either side and above or below its ink.
RIM_X, RIM_Y = 24, 16


@dataclass(frozen=True)
class Strip:
    """Tiles of one size, side by side.

    Attributes:
        digits: which m digits of the layout they show.
        left, top: int64 (m,), canvas column and row of each tile's corner; may be negative.
        tiles: uint8 (h, m, w).
    """

    digits: slice
    left: I64
    top: I64
    tiles: U8

    def measure(self) -> tuple[I64, Bools]:
        """Measure the ink of each tile.

        Returns:
            int64 (m, 4), its box on the canvas, x, y, width, height, 0 wide and high without ink;
            and bool (m,), which boxes are no good: the ink reaches the tile's edge, or leaves more
            than the widest rim.
        """
        height, count, width = self.tiles.shape
        # Eight pixels at once: a pixel is ink if one of its upper three bits is set.
        lanes = self.tiles.reshape(height, -1).view(np.uint64)
        columns = np.bitwise_or.reduce(lanes, axis=0).view(np.uint8).reshape(count, width) >= INK
        # Lane by lane: NumPy reduces a short last axis ten times slower.
        across = reduce(np.bitwise_or, np.moveaxis(lanes.reshape(height, count, -1), 2, 0))
        rows = np.ascontiguousarray(((across & INK_BITS) != 0).T)
        left, right = columns.argmax(axis=1), width - columns[:, ::-1].argmax(axis=1)
        top, bottom = rows.argmax(axis=1), height - rows[:, ::-1].argmax(axis=1)
        rims = np.stack([left, top, width - right, height - bottom], axis=1)
        bad = ((rims == 0) | (rims > (RIM_X, RIM_Y, RIM_X, RIM_Y))).any(axis=1)
        inked = columns[np.arange(count), left]
        sides = [left + self.left, top + self.top, (right - left) * inked, (bottom - top) * inked]
        return np.stack(sides, axis=1), bad


class Inker:
    """Inks the digits of layouts; keeps the kernel's buffers from one to the next."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._warp = Warp()
        self._atlas = np.empty((ATLAS, SIZE, SIZE), np.uint8)
        self._grey = np.empty(ATLAS * TILE_HEIGHT * TILE_WIDTH, np.float32)

    def ink(self, layout: Layout) -> list[Strip]:
        """The layout's digits, each in one of the strips."""
        return [self._strip(layout, digits) for digits in _alike(layout)]

    def _strip(self, layout: Layout, digits: slice) -> Strip:
        glyphs = layout.glyph[digits]
        atlas = self._atlas[: len(glyphs)]
        split = int(layout.inked_anew[digits].sum())
        for source, part in (
            (self._bank.lines, slice(split)),
            (self._bank.images, slice(split, None)),
        ):
            # Any mode but "raise" copies straight into `out`.
            np.take(source, glyphs[part], axis=0, out=atlas[part], mode="clip")
        margin_x, margin_y = layout.margin_x[digits.start], layout.margin_y[digits.start]
        rows = slice(margin_y, TILE_HEIGHT - margin_y)
        columns = slice(margin_x, TILE_WIDTH - margin_x)
        tiles = self._warp(atlas, layout.maps.take(digits, rows, columns))
        self._ramp(tiles, layout.gain[digits], layout.bias[digits])
        left, top = layout.column[digits] + margin_x, layout.row[digits] + margin_y
        return Strip(digits, left, top, tiles)

    def _ramp(self, tiles: U8, gain: F32, bias: F32) -> None:
        """Turn what the warp read, uint8 (h, m, w), into ink: value * gain + bias, in 0..255."""
        if (gain == 1).all() and not bias.any():
            return
        height, _, width = tiles.shape
        grey = self._grey[: tiles.size].reshape(height, -1)
        grey[...] = tiles.reshape(grey.shape)
        grey *= np.repeat(gain, width)
        grey += np.repeat(bias, width)
        np.clip(grey, 0, 255, out=grey)
        tiles.reshape(grey.shape)[...] = grey


def _alike(layout: Layout) -> Iterator[slice]:
    """Runs of digits of one tile size, 128 at most."""
    tile = np.stack([layout.margin_x, layout.margin_y], axis=1)
    edges = np.flatnonzero((tile[1:] != tile[:-1]).any(axis=1)) + 1
    for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(tile)], strict=True):
        for first in range(start, stop, ATLAS):
            yield slice(first, min(first + ATLAS, stop))
