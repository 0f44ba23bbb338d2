import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.layout import lay_out
from generator.recipe import preset
from generator.sample import draw
from generator.warp import ATLAS, Maps, warp


def slow_warp(
    glyphs: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], maps: Maps
) -> npt.NDArray[np.float64]:
    """Bilinear interpolation, written out; zero outside the glyph."""
    tiles = np.zeros((len(rows), 32, 40))
    for t, row in enumerate(rows):
        glyph = np.pad(glyphs[row].astype(float), 2)
        for r in range(32):
            for c in range(40):
                x = float(maps.x_column[t, c]) + float(maps.x_row[t, r])
                y = float(maps.y_column[t, c]) + float(maps.y_row[t, r])
                y = min(max(y, 0), 55)
                if not -1 < x < 56:
                    continue
                left, top = int(np.floor(x)), int(np.floor(y))
                fx, fy = x - left, y - top
                four = glyph[top + 2 : top + 4, left + 2 : left + 4]
                tiles[t, r, c] = np.array([1 - fy, fy]) @ four @ np.array([1 - fx, fx])
    return tiles


def test_the_kernel_equals_bilinear_interpolation(bank: Bank) -> None:
    recipe = preset("child")
    layout = lay_out(bank, recipe, draw(bank, "train", recipe, 5, 0, 8))
    fast = warp(bank.images, layout.glyph, layout.maps)
    slow = slow_warp(bank.images, layout.glyph, layout.maps)
    # cv2 rounds its weights and its result.
    assert np.abs(fast - slow).max() <= 0.6
    assert fast.max() > 200


def test_a_tile_does_not_depend_on_the_others_in_its_atlas(bank: Bank) -> None:
    recipe = preset("child")
    layout = lay_out(bank, recipe, draw(bank, "train", recipe, 5, 0, 100))
    assert len(layout.glyph) > 2 * ATLAS
    whole = warp(bank.lines, layout.glyph, layout.maps)
    for k in (0, 1, ATLAS - 1, ATLAS, len(layout.glyph) - 1):
        one = slice(k, k + 1)
        alone = warp(bank.lines, layout.glyph[one], layout.maps.take(one))
        np.testing.assert_array_equal(whole[one], alone)
