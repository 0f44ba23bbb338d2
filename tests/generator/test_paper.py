import numpy as np
import pytest

from generator.bank import Bank
from generator.engine import render
from generator.paper import soil
from generator.recipe import preset

INK = 32


@pytest.fixture
def images(bank: Bank) -> np.ndarray:
    recipe = preset("child").override(["reference=0", "written=0", "uneven=0", "specked=0"])
    return render(bank, "train", recipe, 1, 0, 120).images


def soiled(images: np.ndarray, uneven: list[int], specked: list[int], start: int = 0) -> np.ndarray:
    after = images.copy()
    soil(after, np.array(uneven, np.int64), np.array(specked, np.int64), 7, start)
    return after


def test_ink_fades_and_stays_ink(images: np.ndarray) -> None:
    after = soiled(images, list(range(100)), [])
    np.testing.assert_array_equal(after >= INK, images >= INK)
    np.testing.assert_array_equal(after.max(axis=(1, 2)), images.max(axis=(1, 2)))
    np.testing.assert_array_equal(after[100:], images[100:])
    share = after[:100].sum(axis=(1, 2)) / images[:100].sum(axis=(1, 2))
    assert share.min() > 0.4
    assert np.mean(share < 0.9) > 0.5


def test_specks_lie_within_the_box_of_the_number(images: np.ndarray) -> None:
    after = soiled(images, [], list(range(len(images))))
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
    whole = soiled(images, [3, 8, 50], [8, 60], start=1000)
    part = soiled(images[5:], [3], [3], start=1005)
    np.testing.assert_array_equal(part[3], whole[8])


def test_shares_are_those_of_the_recipe_and_spare_the_reference(bank: Bank) -> None:
    def images(*settings: str) -> np.ndarray:
        recipe = preset("child").override(["written=0", "uneven=0", "specked=0", *settings])
        return render(bank, "train", recipe, 3, 0, 300).images

    plain = images("reference=0")
    for setting in ("uneven=0.3", "specked=0.3"):
        changed = (images("reference=0", setting) != plain).any(axis=(1, 2)).mean()
        assert 0.2 < changed < 0.4
    both = ["uneven=1", "specked=1"]
    np.testing.assert_array_equal(images("reference=1", *both), images("reference=1"))
