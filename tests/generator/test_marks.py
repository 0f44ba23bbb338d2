import numpy as np
import pytest

from generator import marks
from generator.bank import Bank
from generator.doodles import on_grid
from generator.engine import render
from generator.marks import AFTER, AROUND, BEFORE, FLOURISH, SEPARATORS, SIGNS, mark
from generator.recipe import preset
from shards.canvas import FAINT
from shards.record import Samples
from tests.generator.conftest import PLAIN

COUNT = 400


@pytest.fixture(scope="module")
def numbers(bank: Bank) -> Samples:
    return render(bank, "train", preset("child").override(PLAIN), 1, 0, COUNT)


def marked(numbers: Samples, rows: list[int], start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    images, boxes = numbers.images.copy(), numbers.boxes.copy()
    mark(images, boxes, np.array(rows, np.int64), 7, start)
    return images, boxes


def digit(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    x, y, width, height = box
    return image[y : y + height, x : x + width]


def test_every_digit_stays_as_it_was(numbers: Samples) -> None:
    images, boxes = marked(numbers, list(range(COUNT)))
    assert (images != numbers.images).any(axis=(1, 2)).mean() > 0.6
    moved = boxes != numbers.boxes
    assert moved[..., 0].any()
    assert not moved[..., 1:].any()  # only to the left
    assert (boxes <= numbers.boxes).all()
    for before, after, old, new in zip(numbers.images, images, numbers.boxes, boxes, strict=True):
        for from_box, to_box in zip(old[old[:, 2] > 0], new[old[:, 2] > 0], strict=True):
            # What was ink is ink; a sign may begin within a box, beside the digit's own ink.
            was, now = digit(before, from_box), digit(after, to_box)
            assert (now[was >= FAINT] >= was[was >= FAINT]).all()


def test_a_point_between_thousands_touches_no_digit(
    numbers: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "SEPARATED", 1.0)
    images, boxes = marked(numbers, list(range(COUNT)))
    long = (numbers.digits >= 0).sum(axis=1) > 3
    drawn = np.flatnonzero(long & (boxes != numbers.boxes).any(axis=(1, 2)))
    assert len(drawn) > 20
    for row in drawn:
        there = boxes[row][boxes[row, :, 2] > 0]
        before, after = there[-4], there[-3]
        start, end = int(before[0] + before[2]), int(after[0])
        assert images[row, :, start:end].max() >= FAINT
        assert images[row, :, [start, end - 1]].max() < FAINT


def test_marks_end_where_fit_ends(numbers: Samples) -> None:
    images, _ = marked(numbers, list(range(COUNT)))
    rim = np.ones((32, 128), bool)
    rim[2:30, 2:126] = False
    assert (images[:, rim] < FAINT).all()


def test_where_there_is_no_room_there_is_no_mark(numbers: Samples) -> None:
    images = np.zeros((COUNT, 32, 128), np.uint8)
    images[:, 2:30, 2:126] = 255
    boxes = np.zeros((COUNT, 5, 4), np.int16)
    boxes[:, 0] = 2, 2, 124, 28
    after, moved = images.copy(), boxes.copy()
    mark(after, moved, np.arange(COUNT), 7, 0)
    np.testing.assert_array_equal(after, images)
    np.testing.assert_array_equal(moved, boxes)


def test_what_happens_to_a_sample_depends_on_its_number_alone(numbers: Samples) -> None:
    (whole, boxes), (part, moved) = marked(numbers, [3, 8, 50], 1000), marked(numbers, [8], 1000)
    np.testing.assert_array_equal(part[8], whole[8])
    np.testing.assert_array_equal(moved[8], boxes[8])
    np.testing.assert_array_equal(
        np.delete(whole, [3, 8, 50], 0), np.delete(numbers.images, [3, 8, 50], 0)
    )


def test_no_sign_is_a_minus_and_each_is_used() -> None:
    assert "-" not in BEFORE
    assert {*SEPARATORS, *AFTER, *AROUND, *BEFORE} == {*SIGNS, FLOURISH}
    for strokes in SIGNS.values():
        points = np.concatenate([on_grid(stroke) for stroke in strokes])
        assert points.min(axis=0)[0] >= 0
        assert (points[:, 1] <= 1).all()


def test_the_share_is_that_of_the_recipe_and_spares_the_reference(bank: Bank) -> None:
    def numbers(*settings: str) -> Samples:
        return render(bank, "train", preset("child").override([*PLAIN, *settings]), 3, 0, 300)

    plain, some = numbers(), numbers("marked=0.5")
    changed = (some.images != plain.images).any(axis=(1, 2)).mean()
    assert 0.25 < changed < 0.5
    np.testing.assert_array_equal(some.digits, plain.digits)
    np.testing.assert_array_equal(some.ids, plain.ids)
    others = [numbers("reference=1", "written=0", f"marked={share}") for share in (0, 1)]
    np.testing.assert_array_equal(others[1].images, others[0].images)
