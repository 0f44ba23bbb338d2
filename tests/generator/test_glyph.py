import numpy as np

from generator.bank import Bank
from generator.glyph import CENTRE, REACH_STEPS, SIZE, directions, from_ink, from_mnist, reach


def test_reach_is_the_farthest_corner_of_a_pixel_in_each_direction(bank: Bank) -> None:
    masks = np.array(bank.images[::29]) >= 96
    for mask, found in zip(masks, reach(masks), strict=True):
        ys, xs = np.nonzero(mask)
        corners = np.concatenate(
            [np.stack([xs + dx, ys + dy], axis=1) for dx in (0, 1) for dy in (0, 1)]
        )
        slow = ((corners - CENTRE) @ directions().T).max(axis=0)
        np.testing.assert_array_equal(found, np.ceil(slow * REACH_STEPS))


def test_mnist_digits_are_doubled_and_their_place_is_kept() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 11:15] = 255  # 20 px high, its box's centre at (13, 14) of 28
    glyphs, offsets = from_mnist(image)
    ys, xs = np.nonzero(glyphs[0] >= 128)
    assert (ys.min(), ys.max() + 1, xs.min(), xs.max() + 1) == (8, 48, 24, 32)
    assert offsets.tolist() == [[-2, 0]]


def test_any_ink_is_scaled_to_forty_px_and_centred() -> None:
    ink = np.zeros((90, 300), np.float32)
    ink[10:80, 100:130] = 200
    glyph, offset = from_ink(ink)
    ys, xs = np.nonzero(glyph >= 128)
    assert (ys.min(), ys.max() + 1) == (8, 48)
    assert xs.max() + 1 - xs.min() == 17
    assert glyph.max() == 255
    assert np.abs(offset).max() <= 1
    assert glyph.shape == (SIZE, SIZE)


def test_a_single_pixel_is_a_digit_too() -> None:
    glyph, _ = from_ink(np.full((1, 1), 40, np.float32))
    assert (glyph == 255).sum() == 40 * 40
