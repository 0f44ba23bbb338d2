import numpy as np
import pytest

from generator.bank import Bank
from generator.engine import render
from generator.recipe import preset
from generator.strays import NEAR, TALLEST, stray
from shards.canvas import FAINT
from shards.record import Samples
from tests.generator.conftest import PLAIN

COUNT = 400


@pytest.fixture(scope="module")
def numbers(bank: Bank) -> Samples:
    return render(bank, "train", preset("child").override([*PLAIN, "anywhere=1"]), 1, 0, COUNT)


def strayed(numbers: Samples, rows: list[int], start: int = 0) -> np.ndarray:
    images = numbers.images.copy()
    stray(images, numbers.boxes, np.array(rows, np.int64), 7, start)
    return images


def test_strays_keep_away_from_the_number_and_are_lower_than_it(numbers: Samples) -> None:
    images = strayed(numbers, list(range(COUNT)))
    added = (images != numbers.images).any(axis=(1, 2))
    assert added.mean() > 0.6
    for image, before, boxes in zip(images, numbers.images, numbers.boxes, strict=True):
        there = boxes[boxes[:, 2] > 0]
        left, top = there[:, :2].min(axis=0)
        right, bottom = (there[:, :2] + there[:, 2:]).max(axis=0)
        near = np.s_[max(0, top - NEAR) : bottom + NEAR, max(0, left - NEAR) : right + NEAR]
        np.testing.assert_array_equal(image[near], before[near])
        new = np.where(image != before, image, 0)[top:bottom]
        # Three at most, each of them lower than the number.
        assert new.any(axis=1).sum() <= 3 * TALLEST * (bottom - top)


def test_strays_end_where_fit_ends(numbers: Samples) -> None:
    rim = np.ones((32, 128), bool)
    rim[2:30, 2:126] = False
    assert (strayed(numbers, list(range(COUNT)))[:, rim] < FAINT).all()


def test_what_happens_to_a_sample_depends_on_its_number_alone(numbers: Samples) -> None:
    whole, part = strayed(numbers, [3, 8, 50], 1000), strayed(numbers, [8], 1000)
    np.testing.assert_array_equal(part[8], whole[8])
    np.testing.assert_array_equal(
        np.delete(whole, [3, 8, 50], 0), np.delete(numbers.images, [3, 8, 50], 0)
    )


def test_only_numbers_placed_anywhere_have_strays(bank: Bank) -> None:
    def images(*settings: str) -> np.ndarray:
        recipe = preset("child").override([*PLAIN, *settings])
        return render(bank, "train", recipe, 3, 0, 300).images

    def changed(anywhere: str) -> float:
        some, none = images(anywhere, "strayed=1"), images(anywhere)
        return float((some != none).any(axis=(1, 2)).mean())

    assert changed("anywhere=0") == 0
    assert 0.3 < changed("anywhere=0.5") < 0.5
