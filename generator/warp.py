"""The kernel: bends many digits at once, each by its own backward map, in one resampling."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generator.glyph import SIZE

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

TILE_HEIGHT = 32
TILE_WIDTH = 40
# So many glyphs stay in the cache together, and 128 x 56 rows are within the 32,767 that
# cv2.remap can address.
ATLAS = 128
LIMIT = 500
# A step of 1/32 before the last column, which is empty: on it cv2 would ask for one more, outside
# of the image, in which it is several times slower.
_LAST_COLUMN = SIZE - 1 - 1 / 32
# A float32 near it is whole 1/32: adding it rounds a smaller number to these, to even at a half.
_ROUNDER = np.float32(3 << 17)


@dataclass(frozen=True)
class Maps:
    """Where each pixel of a tile looks in its glyph; the sum of a part by column and one by row.

    x(row, column) = x_column[column] + x_row[row], and likewise y: affine maps have this form, and
    so has a displacement that is a curve along x plus a curve along y. In whole 1/32 px, the
    resolution of cv2's fixed-point interpolation: float32 sums of such numbers are exact, so that
    no tile depends on its place in an atlas.
    """

    x_column: F32  # (n, w), glyph px
    x_row: F32  # (n, h)
    y_column: F32  # (n, w)
    y_row: F32  # (n, h)

    def take(self, tiles: slice, rows: slice = slice(None), columns: slice = slice(None)) -> "Maps":
        """The maps of these tiles, of these rows and columns only."""
        return Maps(
            self.x_column[tiles, columns],
            self.x_row[tiles, rows],
            self.y_column[tiles, columns],
            self.y_row[tiles, rows],
        )


class Warp:
    """The kernel and its buffers, which stay in the cache from one call to the next."""

    def __init__(self) -> None:
        size = ATLAS * TILE_HEIGHT * TILE_WIDTH
        self._x, self._y = np.empty(size, np.float32), np.empty(size, np.float32)
        self._top = np.arange(ATLAS, dtype=np.float32) * SIZE  # of each glyph in the atlas

    def __call__(self, glyphs: U8, maps: Maps) -> U8:
        """Resample glyphs through their maps, bilinearly.

        Args:
            glyphs: uint8 (n, 56, 56), n up to 128, each with an empty border; contiguous.
            maps: For n tiles of up to 32x40 px; px outside a glyph read as its border.

        Returns:
            uint8 (h, n, w): the tiles side by side.
        """
        n = len(glyphs)
        height, width = maps.x_row.shape[1], maps.x_column.shape[1]
        shape = (height, n * width)
        x, y = (buffer[: height * n * width].reshape(shape) for buffer in (self._x, self._y))
        top = self._top[:n]
        _spread(maps.x_row, maps.x_column, x)
        np.clip(x, 0, _LAST_COLUMN, out=x)
        _spread(maps.y_row + top[:, None], maps.y_column, y)
        first = np.repeat(top, width)
        np.maximum(y, first, out=y)
        np.minimum(y, first + np.float32(SIZE - 1), out=y)
        tiles = np.empty((height, n, width), np.uint8)
        cv2.remap(
            glyphs.reshape(n * SIZE, SIZE),
            x,
            y,
            cv2.INTER_LINEAR,
            dst=tiles.reshape(shape),
            borderMode=cv2.BORDER_CONSTANT,
        )
        return tiles


def _spread(row: F32, column: F32, out: F32) -> None:
    """Sums (h, n * w) of parts by row (n, h) and by column (n, w), the maps of n tiles.

    Repeated and added as long rows: twice as fast as by broadcasting over short ones.
    """
    height, width = row.shape[1], column.shape[1]
    np.add(np.repeat(row.T.reshape(-1), width).reshape(height, -1), column.reshape(-1), out=out)


def exact(px: F32) -> F32:
    """Round glyph px to whole 1/32 px, cut to 500 px either way."""
    whole: F32 = np.clip(px, -LIMIT, LIMIT)
    whole += _ROUNDER
    whole -= _ROUNDER
    return whole
