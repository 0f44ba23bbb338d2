import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.layout import Layout, lay_out
from generator.recipe import preset
from generator.sample import draw
from generator.warp import ATLAS, Maps, Warp


def slow_warp(glyphs: npt.NDArray[np.uint8], maps: Maps) -> npt.NDArray[np.float64]:
    """Bilinear interpolation, written out; zero outside the glyph."""
    tiles = np.zeros((32, len(glyphs), 40))
    for t, glyph in enumerate(glyphs):
        glyph = np.pad(glyph.astype(float), 2)
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
                tiles[r, t, c] = np.array([1 - fy, fy]) @ four @ np.array([1 - fx, fx])
    return tiles


def child_layout(bank: Bank, count: int) -> Layout:
    recipe = preset("child")
    return lay_out(bank, recipe, draw(bank, "train", recipe, 5, 0, count))


def test_the_kernel_equals_bilinear_interpolation(bank: Bank) -> None:
    layout = child_layout(bank, 8)
    glyphs = bank.images[layout.glyph]
    fast, slow = Warp()(glyphs, layout.maps), slow_warp(glyphs, layout.maps)
    # cv2 rounds its weights and its result.
    assert np.abs(fast - slow).max() <= 0.6
    assert fast.max() > 200


def test_a_tile_does_not_depend_on_the_others_in_its_atlas(bank: Bank) -> None:
    layout = child_layout(bank, 100)
    glyphs, maps = bank.lines[layout.glyph[:ATLAS]], layout.maps.take(slice(ATLAS))
    warp = Warp()
    whole = warp(glyphs, maps)
    for k in (0, 1, ATLAS - 1):
        one = slice(k, k + 1)
        np.testing.assert_array_equal(whole[:, one], warp(glyphs[one], maps.take(one)))


def test_a_smaller_tile_is_the_middle_of_a_larger_one(bank: Bank) -> None:
    layout = child_layout(bank, 20)
    glyphs = bank.lines[layout.glyph]
    rows, columns = slice(4, 28), slice(12, 28)
    small = Warp()(glyphs, layout.maps.take(slice(None), rows, columns))
    np.testing.assert_array_equal(small, Warp()(glyphs, layout.maps)[rows, :, columns])
