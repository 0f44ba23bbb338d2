from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from generator.bank import Bank, build_bank
from generator.engine import CHUNK, render
from generator.recipe import PRESETS, preset
from generator.sources.folder import read_folder
from shards.canvas import INK_HEIGHT, fit

INK = 32


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(image >= INK)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


@pytest.mark.parametrize("name", PRESETS)
def test_any_division_of_a_range_gives_the_same_images(bank: Bank, name: str) -> None:
    whole = render(bank, "train", preset(name), 4, 0, CHUNK + 40)
    for start, stop in ((0, 1), (7, 90), (CHUNK - 3, CHUNK + 20)):
        part = render(bank, "train", preset(name), 4, start, stop - start)
        for field in ("images", "digits", "boxes", "ids"):
            expected = getattr(whole, field)[start:stop]
            np.testing.assert_array_equal(getattr(part, field), expected, err_msg=field)


def test_ink_ends_where_fit_puts_it(bank: Bank) -> None:
    # Marks and doodles are ink, too, but not placed as `fit` would.
    recipe = preset("child").override(["anywhere=0", "reference=0", "marked=0", "doodled=0"])
    samples = render(bank, "train", recipe, 1, 0, 300)
    for image in samples.images:
        left, top, right, bottom = box(image)
        assert right == 126
        assert left >= 2
        assert bottom - top <= 28
        assert top == (32 - (bottom - top)) // 2
        # It fills the height, or the width, or is held back by a digit as wide as a tile.
        assert bottom - top >= 22 or right - left >= 100
    fitted = [box(fit(image)) for image in samples.images]
    moved = np.abs(np.array(fitted) - [box(image) for image in samples.images]).max(axis=1)
    assert np.mean(moved <= 6) > 0.9


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.integers(0, 2**40),
    st.integers(0, 10**6),
)
def test_every_digit_has_its_ink_on_the_canvas(
    bank: Bank, name: str, seed: int, start: int
) -> None:
    recipe = preset(name).override(
        ["doodled=0", "marked=0", "strayed=0", "ruled=0", "broken=0", "scanned=0"]
    )
    samples = render(bank, "train", recipe, seed, start, 8)
    for image, digits, boxes in zip(samples.images, samples.digits, samples.boxes, strict=True):
        count = (digits >= 0).sum()
        assert not boxes[count:].any()
        assert np.all(boxes[:count, 2:] > 0)
        x, y, width, height = boxes[:count].T
        assert np.all((x >= 0) & (y >= 0) & (x + width <= 128) & (y + height <= 32))
        # The digits' boxes together are exactly the box of all ink: none is cut or added.
        assert box(image) == (x.min(), y.min(), (x + width).max(), (y + height).max())
        # From left to right, as the label is read.
        assert np.all(np.diff(x + width / 2) > -8)


def test_ids_are_the_digits_they_say_and_of_their_split(bank: Bank) -> None:
    for split in ("train", "val", "test"):
        samples = render(bank, split, preset("child").override(["written=0"]), 1, 0, 200)
        there = samples.digits >= 0
        np.testing.assert_array_equal(bank.labels[samples.ids[there]], samples.digits[there])
        allowed = np.concatenate(
            [np.arange(w.first, w.stop) for w in bank.writers if w.split == split]
        )
        assert np.isin(samples.ids[there], allowed).all()
        assert np.all(samples.ids[~there] == -1)


def test_clean_digits_are_the_banks_own(bank: Bank) -> None:
    recipe = preset("clean").override(["digits=1"])
    samples = render(bank, "train", recipe, 1, 0, 40)
    alike = []
    for image, row in zip(samples.images, samples.ids[:, 0], strict=True):
        expected = fit(np.array(bank.images[row]))
        alike.append(np.corrcoef(expected.ravel(), fit(image).ravel())[0, 1])
    # A thin stroke that lies a pixel beside itself still correlates by more than a half.
    assert np.median(alike) > 0.93
    assert min(alike) > 0.7


def test_reference_scales_the_28_px_frame_to_30(bank: Bank) -> None:
    still = ["rotation=0", "scale=1", "shift=0", "baseline=0", "digits=1"]
    samples = render(bank, "train", preset("reference").override(still), 1, 0, 80)
    glyphs = np.array(bank.images[samples.ids[:, 0]]) >= 128
    heights = glyphs.any(axis=2).sum(axis=1) / 2  # a glyph has two px for each of the frame
    found = (samples.images >= 128).any(axis=2).sum(axis=1)
    assert abs(found.sum() / heights.sum() - 30 / 28) < 0.02


def test_a_pen_inks_as_thick_as_it_is(bank: Bank) -> None:
    def ink(pen: float) -> float:
        recipe = preset("clean").override(["reink=1", f"pen={pen}", "digits=1"])
        return float(render(bank, "train", recipe, 1, 0, 60).images.astype(float).sum())

    thin, medium, thick = ink(1), ink(2), ink(4)
    assert 1.3 * thin < medium
    assert 1.4 * medium < thick


def test_contrast_under_one_fades_ink_and_leaves_the_ground_black(bank: Bank) -> None:
    full, half = (
        render(bank, "train", preset("clean").override([f"contrast={c}"]), 1, 0, 60).images
        for c in (1, 0.5)
    )
    assert half.max() in (127, 128)
    assert 0.45 < half.sum() / full.sum() < 0.5
    assert abs((half > 0).sum() / (full > 0).sum() - 1) < 0.05


def test_a_hair_that_falls_between_the_pixels_is_inked_anew(tmp_path: Path) -> None:
    hair = np.zeros((300, 300), np.uint8)
    hair[10:290, 150] = 255
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
        Image.fromarray(hair).save(tmp_path / str(digit) / "w_0.png")
    bank = build_bank(tmp_path / "bank.h5", [read_folder(tmp_path, "MIT", val=0, test=0)])
    upright = ["reink=0", "rotation=0", "lean=0", "slant=0", "scale=1", "reference=0", "written=0"]
    for size in (0.3, 0.55, 0.65, 1.0):
        recipe = preset("child").override([*upright, "anywhere=1", f"size={size}", "digits=1:3"])
        samples = render(bank, "train", recipe, 1, 0, 1000)
        heights = samples.boxes[samples.digits >= 0, 3]
        assert heights.min() >= size * INK_HEIGHT / 3


def test_the_reference_share_is_drawn_by_the_reference_recipe(bank: Bank) -> None:
    mixed = preset("child").override(["reference=0.5"])
    samples = render(bank, "train", mixed, 2, 0, 100).images
    reference = render(bank, "train", preset("reference"), 2, 0, 100).images
    child = render(bank, "train", preset("child").override(["reference=0"]), 2, 0, 100).images
    from_reference = (samples == reference).all(axis=(1, 2))
    from_child = (samples == child).all(axis=(1, 2))
    assert np.all(from_reference ^ from_child)
    assert 30 < from_reference.sum() < 70


def test_every_number_of_a_recipe_has_its_digits(bank: Bank) -> None:
    shares = ["reference=0.4", "written=0.3", "digits=3", "leading_zeros=0"]
    digits = render(bank, "train", preset("child").override(shares), 2, 0, 200).digits
    assert ((digits >= 0).sum(axis=1) == 3).all()
    assert (digits[:, 0] > 0).all()
