from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.bank import Bank
from generator.engine import render
from generator.pen import hands, numbers
from generator.recipe import preset
from generator.sample import draw
from generator.stream import BankStream
from shards.canvas import FAINT
from tests.generator.conftest import PLAIN

N = 200


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(image >= FAINT)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def test_a_number_depends_on_its_own_sample_alone(bank: Bank) -> None:
    drawn = draw(bank, "train", preset("written"), 4, 30, N)
    whole = numbers.write("train", drawn, 4, 30 + np.arange(N))
    for rows in (np.array([5]), np.array([77, 12, 40]), np.arange(100, N)):
        part = numbers.write("train", drawn.take(rows), 4, 30 + rows)
        for field in ("images", "digits", "boxes", "ids"):
            np.testing.assert_array_equal(getattr(part, field), getattr(whole, field)[rows])


def test_seed_and_split_each_give_other_hands(bank: Bank) -> None:
    drawn = draw(bank, "train", preset("written"), 4, 0, N)
    samples = [
        numbers.write(split, drawn, seed, np.arange(N))
        for split, seed in (("train", 4), ("train", 5), ("val", 4), ("test", 4))
    ]
    for i, one in enumerate(samples):
        for other in samples[i + 1 :]:
            assert not (one.images == other.images).all(axis=(1, 2)).any()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**62), st.integers(0, 10**9), st.sampled_from([0.0, 1.0]))
def test_boxes_hold_all_ink_and_nothing_is_cropped(
    bank: Bank, seed: int, start: int, anywhere: float
) -> None:
    recipe = preset("written").override([*PLAIN, f"anywhere={anywhere}"])
    samples = render(bank, "train", recipe, seed, start, 12)
    for image, digits, boxes in zip(samples.images, samples.digits, samples.boxes, strict=True):
        count = (digits >= 0).sum()
        assert not boxes[count:].any()
        x, y, width, height = boxes[:count].T
        assert np.all((width > 0) & (height > 0))
        left, top, right, bottom = box(image)
        assert (left, top, right, bottom) == (
            x.min(), y.min(), (x + width).max(), (y + height).max(),
        )  # fmt: skip
        assert left >= 2
        assert top >= 2
        assert right <= 126
        assert bottom <= 30
        assert image.max() == 255
        if not anywhere:
            assert right == 126
            assert top == (32 - (bottom - top)) // 2
            assert bottom - top >= 27 or right - left >= 123


def test_ids_name_digit_and_split_and_lie_above_any_bank(bank: Bank) -> None:
    written = numbers.source()["writers"]
    for split in ("train", "val", "test"):
        samples = render(bank, split, preset("written"), 1, 0, N)
        there = samples.digits >= 0
        np.testing.assert_array_equal(samples.ids[there] % 10, samples.digits[there])
        ((first, stop),) = [(a, b) for _, of, a, b in written if of == split]
        assert samples.ids[there].min() >= first
        assert samples.ids[there].max() < stop
        assert np.all(samples.ids[~there] == -1)
        writers = samples.ids // 10
        assert np.all((writers == writers[:, :1]) | ~there)
    ranges = sorted((a, b) for *_, a, b in written)
    assert ranges[0][0] >= 10**9
    assert ranges[-1][1] <= 10**10
    assert all(a[1] <= b[0] for a, b in pairwise(ranges))


def test_the_written_share_is_written_and_the_rest_is_as_without_it(bank: Bank) -> None:
    child = preset("child")
    mixed = render(bank, "train", child, 3, 0, 1000)
    without = render(bank, "train", child.override(["written=0"]), 3, 0, 1000)
    by_pen = (mixed.ids >= numbers.FIRST_ID).any(axis=1)
    assert abs(by_pen.mean() - child.written) < 0.05
    np.testing.assert_array_equal(mixed.images[~by_pen], without.images[~by_pen])
    np.testing.assert_array_equal(mixed.digits, without.digits)
    assert without.ids.max() < len(bank)
    written = render(bank, "train", child.override(["written=1"]), 3, 0, 1000)
    np.testing.assert_array_equal(mixed.images[by_pen], written.images[by_pen])


def test_the_pen_model_is_a_source_where_it_writes(bank: Bank) -> None:
    names = [source["name"] for source in BankStream(bank, preset("child"), 1).sources()]
    assert names[-1] == "pen numbers"
    alone = BankStream(bank, preset("child").override(["written=0"]), 1)
    assert [source["name"] for source in alone.sources()] == names[:-1]


def test_a_hand_depends_on_its_writer_alone() -> None:
    several, one = (
        hands.draw_hands(np.array([3, 899_999_999, 3, 12])),
        hands.draw_hands(np.array([12])),
    )
    for field in ("slant", "shape", "field", "flow", "tremor"):
        values = getattr(several, field)
        np.testing.assert_array_equal(values[0], values[2])
        np.testing.assert_array_equal(values[3], getattr(one, field)[0])
        assert (values[0] != values[1]).any() or field == "flow"


def test_a_thick_pen_leaves_more_ink(bank: Bank) -> None:
    def ink(pen: float) -> float:
        recipe = preset("written").override([f"pen={pen}", "anywhere=0", "digits=3"])
        return float(render(bank, "train", recipe, 1, 0, 60).images.astype(float).sum())

    thin, medium, thick = ink(1), ink(2), ink(4)
    assert 1.3 * thin < medium
    assert 1.3 * medium < thick


def test_no_pen_fills_a_zero(bank: Bank) -> None:
    recipe = preset("written").override([*PLAIN, "pen=5", "anywhere=0"])
    drawn = draw(bank, "train", recipe, 3, 0, 600)
    samples = numbers.write("train", drawn, 3, np.arange(600))
    hollow = []
    alone = np.flatnonzero((samples.digits[:, 0] == 0) & (samples.digits[:, 1] < 0))
    for image in samples.images[alone]:
        left, top, right, bottom = box(image)
        inside = image[top + 6 : bottom - 6, left:right]
        hollow.append(bool((inside[:, 2:-2] < FAINT).any()))
    assert len(hollow) > 5
    assert np.mean(hollow) > 0.8
