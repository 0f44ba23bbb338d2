from collections.abc import Sequence

import numpy as np
import pytest

from generator.bank import Bank
from generator.engine import render
from generator.paper import soil
from generator.recipe import preset

INK = 32
CLEAN = ("uneven=0", "broken=0", "specked=0", "scanned=0")


@pytest.fixture
def images(bank: Bank) -> np.ndarray:
    recipe = preset("child").override(["reference=0", "written=0", *CLEAN])
    return render(bank, "train", recipe, 1, 0, 120).images


def soiled(
    images: np.ndarray,
    uneven: Sequence[int] = (),
    broken: Sequence[int] = (),
    specked: Sequence[int] = (),
    start: int = 0,
) -> np.ndarray:
    after = images.copy()
    rows = (np.array(some, np.int64) for some in (uneven, broken, specked))
    soil(after, *rows, 7, start)
    return after


def test_ink_fades_and_stays_ink(images: np.ndarray) -> None:
    after = soiled(images, uneven=range(100))
    np.testing.assert_array_equal(after >= INK, images >= INK)
    np.testing.assert_array_equal(after.max(axis=(1, 2)), images.max(axis=(1, 2)))
    np.testing.assert_array_equal(after[100:], images[100:])
    share = after[:100].sum(axis=(1, 2)) / images[:100].sum(axis=(1, 2))
    assert share.min() > 0.2
    assert np.mean(share < 0.9) > 0.5


def test_strokes_break_in_short_places_and_stay_ink(images: np.ndarray) -> None:
    after = soiled(images, broken=range(100))
    np.testing.assert_array_equal(after >= INK, images >= INK)
    np.testing.assert_array_equal(after[100:], images[100:])
    gone = ((images >= 128) & (after < 64)).sum(axis=(1, 2))[:100]
    assert np.mean(gone > 0) > 0.95
    assert 2 < np.median(gone) < 20
    assert gone.max() <= 4 * 2 * 8  # four breaks, 2 px wide with soft edges, 6 px long
    assert np.all(gone / (images[:100] >= 128).sum(axis=(1, 2)) < 0.5)


def test_faint_strokes_are_not_broken(images: np.ndarray) -> None:
    faint = images // 2
    np.testing.assert_array_equal(soiled(faint, broken=range(100)), faint)


def test_specks_lie_within_the_box_of_the_number(images: np.ndarray) -> None:
    after = soiled(images, specked=range(len(images)))
    assert np.all(after >= images)
    added = (after > images).sum(axis=(1, 2))
    assert 0 < np.median(added) <= 9
    assert added.max() <= 16  # four specks of four px
    for side in (1, 2):
        before, now = ((picture >= INK).any(axis=side) for picture in (images, after))
        first, last = before.argmax(axis=1), before[:, ::-1].argmax(axis=1)
        np.testing.assert_array_equal(now.argmax(axis=1), first)
        np.testing.assert_array_equal(now[:, ::-1].argmax(axis=1), last)


def test_what_happens_to_a_sample_depends_on_its_number_alone(images: np.ndarray) -> None:
    whole = soiled(images, [3, 8, 50], [8, 9], [8, 60], start=1000)
    part = soiled(images[5:], [3], [3], [3], start=1005)
    np.testing.assert_array_equal(part[3], whole[8])


def test_shares_are_those_of_the_recipe_and_spare_the_reference(bank: Bank) -> None:
    def images(*settings: str) -> np.ndarray:
        recipe = preset("child").override(["written=0", *CLEAN, *settings])
        return render(bank, "train", recipe, 3, 0, 300).images

    plain = images("reference=0")
    for setting in ("uneven=0.3", "broken=0.35", "specked=0.3"):
        changed = (images("reference=0", setting) != plain).any(axis=(1, 2)).mean()
        assert 0.2 < changed < 0.4
    every = ["uneven=1", "broken=1", "specked=1"]
    np.testing.assert_array_equal(images("reference=1", *every), images("reference=1"))
