import numpy as np

from generator.bank import Bank
from generator.recipe import preset
from generator.sample import draw

N = 4000


def test_lengths_are_equally_likely_and_labels_left_aligned(bank: Bank) -> None:
    digits = draw(bank, "train", preset("child"), 1, 0, N).digits
    present = digits >= 0
    assert np.all(present[:, :-1] >= present[:, 1:])
    counts = np.bincount(present.sum(axis=1), minlength=6)[1:]
    # Five standard deviations of a binomial count.
    assert np.abs(counts - N / 5).max() < 5 * np.sqrt(N * 0.2 * 0.8)


def test_leading_zeros_come_at_the_stated_rate(bank: Bank) -> None:
    def rate(share: float) -> float:
        recipe = preset("child").override([f"leading_zeros={share}"])
        digits = draw(bank, "train", recipe, 1, 0, N).digits
        longer = digits[digits[:, 1] >= 0]
        return float((longer[:, 0] == 0).mean())

    assert rate(0) == 0
    assert 0.02 < rate(0.5) < 0.08
    assert 0.07 < rate(1) < 0.13


def test_every_draw_stays_in_its_range(bank: Bank) -> None:
    recipe = preset("child")
    n = draw(bank, "train", recipe, 3, 0, N)
    for values, (low, high) in (
        (np.rad2deg(n.slant), recipe.slant),
        (np.rad2deg(n.rotation), recipe.rotation),
        (n.scale, recipe.scale),
        (n.pen, recipe.pen),
        (n.gap, recipe.gap),
        (n.shift_y, recipe.baseline),
    ):
        assert low - 1e-9 <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() <= high + 1e-9
    assert abs(n.inked_anew.mean() - recipe.reink) < 0.05
    assert abs(n.anywhere.mean() - recipe.anywhere) < 0.05


def test_sample_i_is_the_same_in_any_run(bank: Bank) -> None:
    whole = draw(bank, "train", preset("child"), 9, 0, 50)
    tail = draw(bank, "train", preset("child"), 9, 37, 13)
    np.testing.assert_array_equal(whole.glyphs[37:], tail.glyphs)
    np.testing.assert_array_equal(whole.curve_phase[37:], tail.curve_phase)


def test_a_number_is_by_one_writer_where_asked(bank: Bank) -> None:
    numbers = draw(bank, "train", preset("child"), 1, 0, 300)
    ends = np.array([w.stop for w in bank.writers])
    writers = np.searchsorted(ends, numbers.glyphs, side="right")
    there = numbers.present
    first = writers[:, :1]
    assert np.all((writers == first) | ~there)
    assert len(np.unique(first)) > 3
