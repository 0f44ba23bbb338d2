"""The kernel: bends many digits at once, each by its own backward map, in one resampling."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generator.glyph import SIZE

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

TILE_HEIGHT = 32
TILE_WIDTH = 40
# So many glyphs stay in the cache together, and 128 x 56 rows are within the 32,767 that
# cv2.remap can address.
ATLAS = 128
STEPS_PER_PX = np.float32(32)
LIMIT = 500


@dataclass(frozen=True)
class Maps:
    """Where each pixel of a tile looks in its glyph; the sum of a part by column and one by row.

    x(row, column) = x_column[column] + x_row[row], and likewise y: affine maps have this form, and
    so has a displacement that is a curve along x plus a curve along y. In whole 1/32 px, the
    resolution of cv2's fixed-point interpolation: float32 sums of such numbers are exact, so that
    no tile depends on its place in an atlas.
    """

    x_column: F32  # (n, 40), glyph px
    x_row: F32  # (n, 32)
    y_column: F32  # (n, 40)
    y_row: F32  # (n, 32)

    def take(self, tiles: slice | I64, columns: slice = slice(None)) -> "Maps":
        """The maps of these tiles, of these columns only."""
        return Maps(
            self.x_column[tiles, columns],
            self.x_row[tiles],
            self.y_column[tiles, columns],
            self.y_row[tiles],
        )


def warp(glyphs: U8, rows: I64, maps: Maps) -> U8:
    """Resample n glyphs through their maps, bilinearly.

    Args:
        glyphs: uint8 (N, 56, 56), each with an empty border.
        rows: int64 (n,), which glyph each tile shows.
        maps: For n tiles; px outside the glyph read as its border.

    Returns:
        uint8 (n, 32, w), as wide as the maps.
    """
    tiles = np.empty((len(rows), TILE_HEIGHT, maps.x_column.shape[1]), np.uint8)
    for start in range(0, len(rows), ATLAS):
        part = slice(start, start + ATLAS)
        _warp_atlas(glyphs[rows[part]], maps.take(part), tiles[part])
    return tiles


def exact(px: F32) -> F32:
    """Round glyph px to whole 1/32 px, cut to 500 px either way."""
    whole: F32 = np.rint(np.clip(px, -LIMIT, LIMIT) * STEPS_PER_PX)
    return whole / STEPS_PER_PX


def _warp_atlas(atlas: U8, maps: Maps, tiles: U8) -> None:
    n = len(atlas)
    x = maps.x_row[:, :, None] + maps.x_column[:, None, :]
    y = maps.y_row[:, :, None] + maps.y_column[:, None, :]
    np.clip(y, 0, SIZE - 1, out=y)
    y += (np.arange(n, dtype=np.float32) * SIZE)[:, None, None]
    shape = (n * TILE_HEIGHT, x.shape[2])
    cv2.remap(
        atlas.reshape(n * SIZE, SIZE),
        x.reshape(shape),
        y.reshape(shape),
        cv2.INTER_LINEAR,
        dst=tiles.reshape(shape),
        borderMode=cv2.BORDER_CONSTANT,
    )
