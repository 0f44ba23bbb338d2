import numpy as np
import pytest

from generator.bank import Bank
from generator.doodles import KINDS, LETTERS, POOL, pool, scrawl
from generator.engine import render
from generator.recipe import preset
from shards.canvas import FAINT

PLAIN = [
    *("reference=0", "written=0", "uneven=0", "specked=0", "strayed=0", "ruled=0"),
    *("broken=0", "scanned=0"),
]


@pytest.fixture
def images(bank: Bank) -> np.ndarray:
    return render(bank, "train", preset("child").override(PLAIN), 1, 0, 150).images


def doodled(images: np.ndarray, rows: list[int], start: int = 0) -> np.ndarray:
    after = images.copy()
    scrawl(after, np.array(rows, np.int64), 7, start)
    return after


def first_column(images: np.ndarray) -> np.ndarray:
    return (images >= FAINT).any(axis=1).argmax(axis=1)


def test_a_doodle_stands_apart_before_the_number(images: np.ndarray) -> None:
    after = doodled(images, list(range(len(images))))
    changed = (after != images).any(axis=(1, 2))
    assert changed.mean() > 0.7
    for before, now in zip(images[changed], after[changed], strict=True):
        left = first_column(before[None])[0]
        np.testing.assert_array_equal(now[:, left - 3 :], before[:, left - 3 :])
        assert now[:, : left - 3].max() == 255
        rim = np.ones_like(now, bool)
        rim[2:30, 2:] = False
        np.testing.assert_array_equal(now[rim], before[rim])


def test_where_there_is_no_room_there_is_no_doodle(images: np.ndarray) -> None:
    full = np.zeros_like(images)
    full[:, 2:30, 8:126] = 255
    np.testing.assert_array_equal(doodled(full, list(range(len(full)))), full)


def test_what_happens_to_a_sample_depends_on_its_number_alone(images: np.ndarray) -> None:
    whole, part = doodled(images, [3, 8, 50], 1000), doodled(images[5:], [3], 1005)
    np.testing.assert_array_equal(part[3], whole[8])
    np.testing.assert_array_equal(np.delete(whole, [3, 8, 50], 0), np.delete(images, [3, 8, 50], 0))


def test_there_are_many_and_all_fit() -> None:
    widths = [doodle.shape[1] for doodle in pool()]
    assert len(widths) == POOL
    assert widths == sorted(widths)
    assert max(widths) <= 124
    assert {doodle.max() for doodle in pool()} == {255}
    assert max(len(doodle) for doodle in pool()) <= 28
    assert not set(LETTERS) & set("BDEGIJLOPQSUZ")
    assert len(KINDS) == 6


def test_the_share_is_that_of_the_recipe_and_spares_the_reference(bank: Bank) -> None:
    def numbers(*settings: str) -> np.ndarray:
        return render(bank, "train", preset("child").override([*PLAIN, *settings]), 3, 0, 300)

    plain, some = numbers(), numbers("doodled=0.3")
    changed = (some.images != plain.images).any(axis=(1, 2)).mean()
    assert 0.15 < changed < 0.4
    for name in ("digits", "boxes", "ids"):
        np.testing.assert_array_equal(getattr(some, name), getattr(plain, name))
    reference = [numbers("reference=1", f"doodled={share}").images for share in (0, 1)]
    np.testing.assert_array_equal(*reference)
