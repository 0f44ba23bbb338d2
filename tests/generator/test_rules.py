import numpy as np
import pytest

from generator import rules
from generator.bank import Bank
from generator.engine import render
from generator.recipe import preset
from generator.rules import CLEARLY, FREE_ACROSS, TREMBLE, UPRIGHT, rule
from shards.canvas import FAINT
from shards.record import Samples
from tests.generator.conftest import COUNT, PLAIN

EVERY = list(range(COUNT))
Extents = tuple[int, int, int, int]


def ruled(numbers: Samples, anywhere: bool, rows: list[int], start: int = 0) -> np.ndarray:
    return with_boxes(numbers, anywhere, rows, start)[0]


def with_boxes(
    numbers: Samples, anywhere: bool, rows: list[int], start: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    images, boxes = numbers.images.copy(), numbers.boxes.copy()
    where = np.full(len(images), anywhere)
    rule(images, boxes, where, np.array(rows, np.int64), 7, start)
    return images, boxes


def extents(boxes: np.ndarray) -> Extents:
    there = boxes[boxes[:, 2] > 0]
    left, top = there[:, :2].min(axis=0)
    right, bottom = (there[:, :2] + there[:, 2:]).max(axis=0)
    return left, top, right, bottom


def test_no_ink_is_lost_and_lines_end_where_fit_ends(filling: Samples, small: Samples) -> None:
    rim = np.ones((32, 128), bool)
    rim[2:30, 2:126] = False
    for numbers, anywhere, share in ((filling, False, 0.2), (small, True, 0.7)):
        images, boxes = with_boxes(numbers, anywhere, EVERY)
        stayed = (boxes == numbers.boxes).all(axis=(1, 2))
        assert (images[stayed] >= numbers.images[stayed]).all()
        assert images[:, rim].max() < FAINT
        assert (images[stayed][:, rim] == numbers.images[stayed][:, rim]).all()
        assert (images != numbers.images).any(axis=(1, 2)).mean() > share


def test_numbers_that_fill_their_room_stay_where_fit_puts_them(filling: Samples) -> None:
    for image, before in zip(ruled(filling, False, EVERY), filling.images, strict=True):
        (now, was) = (np.flatnonzero((i >= FAINT).any(axis=0)).max() for i in (image, before))
        assert now == was


def only(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing but what `kind` says, where there is room."""
    kinds = ("through", "stamp", "ring", "frame")
    for name, last in zip(("THROUGH", "STAMPED", "RINGED"), kinds, strict=False):
        monkeypatch.setattr(rules, name, float(kinds.index(kind) <= kinds.index(last)))


@pytest.mark.parametrize("kind", ["through", "frame"])
def test_a_line_beside_the_digits_is_long_or_taller_than_they_are(
    small: Samples, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line can be taken for a 1, nor for a part of the only digit."""
    only(kind, monkeypatch)
    upright = 0
    for image, before, boxes in zip(
        ruled(small, True, EVERY), small.images, small.boxes, strict=True
    ):
        left, top, right, bottom = extents(boxes)
        added = image.astype(int) - before
        for columns in (np.s_[:, : left - 1], np.s_[:, right + 1 :]):
            rows = (added[columns] > 0).sum(axis=0)  # of each column that has some
            if (rows > 4).any():
                upright += 1
                reach = np.flatnonzero((added[columns] > 0).any(axis=1))
                height = reach.max() - reach.min() + 1
                assert height >= UPRIGHT * (bottom - top) - 2 * TREMBLE
        beside = np.flatnonzero((added[top:bottom] > FAINT).any(axis=0))
        if len(beside) and not left <= beside.min() < beside.max() < right:
            assert min(abs(beside - left).max(), abs(beside - right).max()) >= FREE_ACROSS - 1
    assert upright > COUNT / 10 if kind == "frame" else not upright


def test_a_ring_goes_round_the_number_and_touches_no_digit(
    small: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("ring", monkeypatch)
    images, boxes = with_boxes(small, True, EVERY)
    drawn = (images != small.images).any(axis=(1, 2))
    assert drawn.mean() > 0.3
    moved = False
    for row in np.flatnonzero(drawn):
        left, top, right, bottom = extents(small.boxes[row])
        before = small.images[row, top:bottom, left:right]
        left, top, right, bottom = extents(boxes[row])
        moved |= (boxes[row] != small.boxes[row]).any()
        now = images[row]
        np.testing.assert_array_equal(now[top:bottom, left:right], before)
        for side in (now[:, :left], now[:, right:], now[:top], now[bottom:]):
            assert side.max() >= FAINT
    assert moved
    np.testing.assert_array_equal(boxes[..., 2:], small.boxes[..., 2:])


def test_a_ring_moves_no_ink_out_of_the_room(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    only("ring", monkeypatch)
    looks = [*PLAIN, "anywhere=1", "size=0.4:0.7", "strayed=1", "marked=1"]
    numbers = render(bank, "train", preset("child").override(looks), 1, 0, COUNT)
    images, boxes = with_boxes(numbers, True, EVERY)
    assert (boxes != numbers.boxes).any()
    rim = np.ones((32, 128), bool)
    rim[2:30, 2:126] = False
    assert images[:, rim].max() < FAINT
    ink = (images >= FAINT).sum(axis=(1, 2))
    assert (ink >= (numbers.images >= FAINT).sum(axis=(1, 2))).all()


def test_a_ring_round_a_single_digit_is_a_circle(
    small: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A narrow ring about a 1 is a 0."""
    only("ring", monkeypatch)
    images = ruled(small, True, EVERY)
    drawn = (images != small.images).any(axis=(1, 2)) & ((small.digits >= 0).sum(axis=1) == 1)
    assert drawn.any()
    for image in images[drawn]:
        rows, columns = (np.flatnonzero((image >= FAINT).any(axis=axis)) for axis in (1, 0))
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 3


def test_a_circle_of_a_stamp_is_clearly_taller_than_the_digits(
    small: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("stamp", monkeypatch)
    added = ruled(small, True, EVERY).astype(int) - small.images
    drawn = (added > 0).any(axis=(1, 2))
    assert drawn.mean() > 0.3
    for stamp, boxes in zip(added[drawn], small.boxes[drawn], strict=True):
        _, top, _, bottom = extents(boxes)
        rows, columns = (np.flatnonzero((stamp > 0).any(axis=axis)) for axis in (1, 0))
        assert rows[-1] - rows[0] + 1 >= CLEARLY * (bottom - top) - 2 * TREMBLE
        assert np.ptp(columns) >= np.ptp(rows) - 2  # a side that is cut off may be a 1


def test_a_single_digit_that_fills_its_room_is_left_alone(filling: Samples) -> None:
    single = (filling.digits >= 0).sum(axis=1) == 1
    images = ruled(filling, False, EVERY)
    assert single.any()
    np.testing.assert_array_equal(images[single], filling.images[single])


def test_what_happens_to_a_sample_depends_on_its_number_alone(small: Samples) -> None:
    whole, part = ruled(small, True, [3, 8, 50], 1000), ruled(small, True, [8], 1000)
    np.testing.assert_array_equal(part[8], whole[8])
    np.testing.assert_array_equal(
        np.delete(whole, [3, 8, 50], 0), np.delete(small.images, [3, 8, 50], 0)
    )


def test_the_share_is_that_of_the_recipe_and_spares_the_reference(bank: Bank) -> None:
    def numbers(*settings: str) -> Samples:
        return render(bank, "train", preset("child").override([*PLAIN, *settings]), 3, 0, 300)

    plain, some = (numbers("anywhere=1", "size=0.5:0.6", f"ruled={share}") for share in (0, 0.5))
    changed = (some.images != plain.images).any(axis=(1, 2)).mean()
    assert 0.35 < changed < 0.55
    for name in ("digits", "ids"):
        np.testing.assert_array_equal(getattr(some, name), getattr(plain, name))
    others = [numbers("reference=1", "written=0", f"ruled={share}") for share in (0, 1)]
    np.testing.assert_array_equal(others[1].images, others[0].images)
