import numpy as np

from generator.bank import Bank
from generator.engine import render
from generator.recipe import preset
from generator.scan import scan
from shards.canvas import FAINT
from shards.record import Samples
from tests.generator.conftest import COUNT, PLAIN

EVERY = list(range(COUNT))


def scanned(numbers: Samples, anywhere: bool, rows: list[int], start: int = 0) -> np.ndarray:
    images = numbers.images.copy()
    where = np.full(len(images), anywhere)
    scan(images, numbers.boxes, where, np.array(rows, np.int64), 7, start)
    return images


def grey_beside(images: np.ndarray, numbers: Samples) -> np.ndarray:
    """Share of the black pixels of each number that are not black now."""
    clean = numbers.images == 0
    return np.asarray((clean & (images > 0)).sum(axis=(1, 2)) / clean.sum(axis=(1, 2)))


def test_no_ink_is_lost_and_paper_ends_where_fit_ends(small: Samples) -> None:
    rim = np.ones((32, 128), bool)
    rim[2:30, 2:126] = False
    images = scanned(small, True, EVERY)
    assert (images >= small.images).all()
    assert (images[:, rim] == small.images[:, rim]).all()
    beside = grey_beside(images, small)
    assert np.mean(beside > 0) > 0.9
    assert beside.max() < 0.65


def test_numbers_that_fill_their_room_keep_their_extents(filling: Samples) -> None:
    images = scanned(filling, False, EVERY)
    assert (images >= filling.images).all()
    for axis in (1, 2):
        now, was = ((i >= FAINT).any(axis=axis) for i in (images, filling.images))
        np.testing.assert_array_equal(now.argmax(axis=1), was.argmax(axis=1))
        np.testing.assert_array_equal(now[:, ::-1].argmax(axis=1), was[:, ::-1].argmax(axis=1))


def test_dense_paper_is_fainter_than_ink(small: Samples) -> None:
    images = scanned(small, True, EVERY)
    dense = grey_beside(images, small) > 0.2
    assert dense.sum() > COUNT / 20
    for image, before in zip(images[dense], small.images[dense], strict=True):
        ink, paper = before[before >= FAINT].mean(), image[(before < FAINT) & (image > 0)].mean()
        assert paper < 0.5 * ink


def test_what_happens_to_a_sample_depends_on_its_number_alone(small: Samples) -> None:
    whole, part = scanned(small, True, [3, 8, 50], 1000), scanned(small, True, [8], 1000)
    np.testing.assert_array_equal(part[8], whole[8])
    np.testing.assert_array_equal(
        np.delete(whole, [3, 8, 50], 0), np.delete(small.images, [3, 8, 50], 0)
    )


def test_the_share_is_that_of_the_recipe_and_spares_the_reference(bank: Bank) -> None:
    def numbers(*settings: str) -> Samples:
        return render(bank, "train", preset("child").override([*PLAIN, *settings]), 3, 0, 300)

    plain, some = (numbers(f"scanned={share}") for share in (0, 0.5))
    changed = (some.images != plain.images).any(axis=(1, 2)).mean()
    assert 0.4 < changed < 0.58
    for name in ("digits", "ids", "boxes"):
        np.testing.assert_array_equal(getattr(some, name), getattr(plain, name))
    others = [numbers("reference=1", "written=0", f"scanned={share}") for share in (0, 1)]
    np.testing.assert_array_equal(others[1].images, others[0].images)
