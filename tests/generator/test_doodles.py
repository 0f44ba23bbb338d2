import numpy as np
import pytest

from generator.bank import Bank
from generator.doodles import KINDS, LETTERS, POOL, WORD_LETTERS, pool, scrawl
from generator.engine import render
from generator.recipe import preset
from shards.canvas import FAINT
from shards.record import Samples

PLAIN = [
    *("reference=0", "written=0", "uneven=0", "specked=0", "strayed=0", "ruled=0"),
    *("broken=0", "scanned=0"),
]


@pytest.fixture(scope="module")
def numbers(bank: Bank) -> Samples:
    return render(bank, "train", preset("child").override(PLAIN), 1, 0, 150)


def doodled(numbers: Samples, rows: list[int], start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    images, boxes = numbers.images.copy(), numbers.boxes.copy()
    scrawl(images, boxes, np.array(rows, np.int64), 7, start)
    return images, boxes


def inked_columns(image: np.ndarray) -> np.ndarray:
    return np.flatnonzero((image >= FAINT).any(axis=0))


def test_a_doodle_stands_apart_before_or_after_the_number(numbers: Samples) -> None:
    images, boxes = doodled(numbers, list(range(len(numbers.images))))
    changed = (images != numbers.images).any(axis=(1, 2))
    assert changed.mean() > 0.7
    followed = 0
    for row in np.flatnonzero(changed):
        before, now, there = numbers.images[row], images[row], numbers.boxes[row, :, 2] > 0
        first, last = inked_columns(before)[[0, -1]]
        moves = numbers.boxes[row, there, 0] - boxes[row, there, 0]
        assert (moves == moves[0]).all()
        moved = int(moves[0])
        followed += moved > 0
        number = now[:, first - moved : last + 1 - moved]
        np.testing.assert_array_equal(number, before[:, first : last + 1])
        beside = now[:, last + 1 - moved :] if moved else now[:, :first]
        assert beside.max() == 255
        near = beside[:, :3] if moved else beside[:, -3:]
        assert near.max() < FAINT
        assert inked_columns(now)[-1] == last  # where fit() ends
        rim = np.ones_like(now, bool)
        rim[2:30, 2:] = False
        assert now[rim].max() < FAINT
    assert 0.15 < followed / changed.sum() < 0.5
    np.testing.assert_array_equal(boxes[..., 1:], numbers.boxes[..., 1:])
    np.testing.assert_array_equal(boxes[~changed], numbers.boxes[~changed])


def test_where_there_is_no_room_there_is_no_doodle(numbers: Samples) -> None:
    full = np.zeros_like(numbers.images)
    full[:, 2:30, 8:126] = 255
    boxes = np.zeros_like(numbers.boxes)
    boxes[:, 0] = 8, 2, 118, 28
    after, moved = full.copy(), boxes.copy()
    scrawl(after, moved, np.arange(len(full)), 7, 0)
    np.testing.assert_array_equal(after, full)
    np.testing.assert_array_equal(moved, boxes)


def test_what_happens_to_a_sample_depends_on_its_number_alone(numbers: Samples) -> None:
    (whole, boxes), (part, moved) = (
        doodled(numbers, [3, 8, 50], 1000),
        doodled(numbers.part(5, 150), [3], 1005),
    )
    np.testing.assert_array_equal(part[3], whole[8])
    np.testing.assert_array_equal(moved[3], boxes[8])
    np.testing.assert_array_equal(
        np.delete(whole, [3, 8, 50], 0), np.delete(numbers.images, [3, 8, 50], 0)
    )


def test_there_are_many_and_all_fit() -> None:
    images = [doodle.image for doodle in pool()]
    widths = [image.shape[1] for image in images]
    assert len(widths) == POOL
    assert widths == sorted(widths)
    assert max(widths) <= 124
    assert {image.max() for image in images} == {255}
    assert max(len(image) for image in images) <= 28
    assert len(KINDS) == 6


def test_no_letter_is_a_digit_and_words_are_not_mirrored() -> None:
    assert not set(LETTERS) & set("BDEGIJLOPQSUZ")
    assert not set(WORD_LETTERS) & set("BDGIJLOQSYZabdgijloqsyz")
    mirrored = [doodle.mirrors for doodle in pool()]
    assert mirrored.count(False) == POOL // 3


def test_the_share_is_that_of_the_recipe_and_spares_the_reference(bank: Bank) -> None:
    def numbers(*settings: str) -> np.ndarray:
        return render(bank, "train", preset("child").override([*PLAIN, *settings]), 3, 0, 300)

    plain, some = numbers(), numbers("doodled=0.3")
    changed = (some.images != plain.images).any(axis=(1, 2)).mean()
    assert 0.15 < changed < 0.4
    for name in ("digits", "ids"):
        np.testing.assert_array_equal(getattr(some, name), getattr(plain, name))
    reference = [numbers("reference=1", f"doodled={share}").images for share in (0, 1)]
    np.testing.assert_array_equal(*reference)
