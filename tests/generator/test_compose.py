import numpy as np

from generator.bank import Bank
from generator.compose import Sheet
from generator.ink import Inker
from generator.layout import lay_out
from generator.recipe import preset
from generator.sample import draw

N = 90


def test_each_pixel_is_the_lightest_of_the_tiles_over_it(bank: Bank) -> None:
    recipe = preset("child").override(["anywhere=0", "reference=0"])
    layout = lay_out(bank, recipe, draw(bank, "train", recipe, 3, 0, N))
    strips = Inker(bank).ink(layout)
    rng = np.random.default_rng(1)
    move, wanted = rng.integers(-2, 3, (N, 2)), rng.random(N) < 0.7
    slow = np.zeros((N, 32 + 80, 128 + 80), np.uint8)
    for strip in strips:
        height, _, width = strip.tiles.shape
        for k, owner in enumerate(layout.owner[strip.digits]):
            x, y = strip.left[k] + move[owner, 0] + 40, strip.top[k] + move[owner, 1] + 40
            spot = slow[owner, y : y + height, x : x + width]
            np.maximum(spot, strip.tiles[:, k], out=spot)
    sheet = Sheet(N)
    for _ in range(2):  # the second use finds the first one's ink
        fast = sheet.compose(strips, layout, move, wanted)
        np.testing.assert_array_equal(fast, slow[wanted, 40:-40, 40:-40])


def test_strips_hold_every_digit_once_and_measure_its_ink(bank: Bank) -> None:
    recipe = preset("child")
    layout = lay_out(bank, recipe, draw(bank, "train", recipe, 4, 0, N))
    strips = Inker(bank).ink(layout)
    ends = [0, *(strip.digits.stop for strip in strips)]
    assert [strip.digits.start for strip in strips] == ends[:-1]
    assert ends[-1] == len(layout.glyph)
    for strip in strips:
        boxes, bad = strip.measure()
        for k in range(len(boxes)):
            ys, xs = np.nonzero(strip.tiles[:, k] >= 32)
            box = (xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1)
            np.testing.assert_array_equal(boxes[k] - (strip.left[k], strip.top[k], 0, 0), box)
            height, _, width = strip.tiles.shape
            cut = xs.min() == 0 or ys.min() == 0 or xs.max() == width - 1 or ys.max() == height - 1
            assert bad[k] == cut
