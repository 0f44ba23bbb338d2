from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.embedded import custom_digits as embedded
from generator.pen import Style, draw_digits, draw_style, movement, save_digits, write_digit
from generator.pen.allographs import ALLOGRAPHS
from generator.pen.render import SIDE, ink, place
from shards.errors import UserError
from shards.strokes import read_drawing

seeds = st.integers(0, 2**63)


def style_of(writer: int) -> Style:
    return draw_style(np.random.default_rng(writer))


def test_a_digit_depends_on_its_own_key_alone():
    few = {(d.writer, d.digit, d.n): d.image for d in draw_digits(2, 1, 5)}
    many = {(d.writer, d.digit, d.n): d.image for d in draw_digits(3, 2, 5)}
    assert len(few) == 20
    assert len(many) == 60
    for key, image in few.items():
        np.testing.assert_array_equal(image, many[key])


def test_seed_writer_and_repetition_each_change_the_digit():
    first = {(d.writer, d.digit, d.n): d.image.tobytes() for d in draw_digits(3, 2, 5)}
    other = {(d.writer, d.digit, d.n): d.image.tobytes() for d in draw_digits(3, 2, 6)}
    assert len(set(first.values()) | set(other.values())) == 120


def test_save_names_the_files_by_digit_writer_and_repetition(tmp_path: Path):
    assert save_digits(tmp_path, writers=2, per_digit=3, seed=1) == 60
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert names == sorted(
        f"{digit}/pen-{writer:03d}_{n}.{kind}"
        for digit in range(10)
        for writer in range(2)
        for n in range(3)
        for kind in ("png", "json")
    )
    for drawn in draw_digits(2, 3, 1):
        file = tmp_path / str(drawn.digit) / f"{drawn.writer}_{drawn.n}.png"
        np.testing.assert_array_equal(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), drawn.image)
        assert file.stat().st_size < 1000
        saved = read_drawing(file.with_suffix(".json"))
        assert saved.label == str(drawn.digit)
        again = ink(list(saved.strokes), saved.pen)
        assert np.abs(again.astype(int) - drawn.image).mean() < 2


def test_save_again_gives_the_same_bytes(tmp_path: Path):
    for folder in ("a", "b"):
        save_digits(tmp_path / folder, 1, 1, 3)
    for digit in range(10):
        for kind in ("png", "json"):
            name = f"{digit}/pen-000_0.{kind}"
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_hands_of_another_seed_are_not_mixed_in(tmp_path: Path):
    save_digits(tmp_path, 2, 1, 3)
    before = {path: path.read_bytes() for path in tmp_path.glob("*/*")}
    with pytest.raises(UserError, match=r"pen-000_0\.json is there and is not what this command"):
        save_digits(tmp_path, 1, 2, 4)
    assert {path: path.read_bytes() for path in tmp_path.glob("*/*")} == before
    save_digits(tmp_path, 2, 2, 3)
    assert len(list(tmp_path.glob("*/*"))) == 2 * len(before)


def test_the_embedded_digits_are_what_their_readme_says(tmp_path: Path):
    save_digits(tmp_path, writers=3, per_digit=5, seed=1)
    for made in tmp_path.glob("*/*.json"):
        ours, theirs = (folder / made.relative_to(tmp_path) for folder in (tmp_path, embedded()))
        assert theirs.read_bytes() == ours.read_bytes()
        pictures = [cv2.imread(str(path.with_suffix(".png")), 0) for path in (ours, theirs)]
        np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize(
    ("counts", "words"),
    [((0, 1, 1), "writers is 0"), ((1, -2, 1), "per-digit is -2"), ((1, 1, -1), "seed is -1")],
)
def test_bad_counts_are_named(counts: tuple[int, int, int], words: str):
    with pytest.raises(UserError, match=words):
        draw_digits(*counts)


def assert_framed(image: np.ndarray) -> None:
    assert image.shape == (SIDE, SIDE)
    assert image.dtype == np.uint8
    dark = image < 255
    assert (image < 64).sum() > 30
    edge = np.concatenate(
        [dark[:2].ravel(), dark[-2:].ravel(), dark[:, :2].ravel(), dark[:, -2:].ravel()]
    )
    assert not edge.any()
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    for span in (rows, columns):
        assert abs((span[0] + span[-1]) / 2 - (SIDE - 1) / 2) <= 1


@pytest.mark.parametrize("digit", range(10))
def test_every_allograph_stands_in_the_frame(digit: int):
    shapes = ALLOGRAPHS[digit]
    assert len({shape.name for shape in shapes}) == len(shapes)
    for shape in shapes:
        assert shape.weight > 0
        strokes = [movement.trace(stroke, 0.02) for stroke in shape.strokes]
        for pen_width in (0.04, 0.12, 0.26):
            assert_framed(ink(*place(strokes, pen_width, 1.5)))


@settings(max_examples=60, deadline=None)
@given(digit=st.integers(0, 9), writer=seeds, key=seeds)
def test_strokes_are_smooth_and_one_digit_high(digit: int, writer: int, key: int):
    style = style_of(writer)
    strokes = write_digit(digit, style, np.random.default_rng(key))
    everything = np.concatenate(strokes)
    assert all(stroke.dtype == np.float32 and len(stroke) >= 2 for stroke in strokes)
    np.testing.assert_allclose(everything.min(0), 0, atol=1e-6)
    assert everything[:, 1].max() == pytest.approx(1)
    assert everything[:, 0].max() < 4
    hops = [np.linalg.norm(np.diff(stroke, axis=0), axis=1).max() for stroke in strokes]
    assert max(hops) < 0.1
    assert_framed(ink(*place(strokes, style.pen_width, style.size)))


@settings(max_examples=50, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 1.0])),
        min_size=2,
        max_size=9,
    ),
    rounding=st.floats(0, 0.1),
)
def test_a_trace_keeps_its_ends_and_an_even_step(
    points: list[tuple[float, float, float]], rounding: float
):
    control = np.array(points)
    path = movement.trace(control, rounding)
    assert np.isfinite(path).all()
    np.testing.assert_allclose(path[[0, -1]], control[[0, -1], :2], atol=1e-9)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max(initial=0) < 2 * movement.STEP


def lean(strokes: list[np.ndarray]) -> float:
    x, y = (np.concatenate(strokes) - np.concatenate(strokes).mean(0)).T
    return float(-(x * y).sum() / (y * y).sum())


def test_a_writer_keeps_lean_and_pen_while_writers_differ():
    rng = np.random.default_rng(0)
    styles = [style_of(writer) for writer in range(30)]
    leans = np.array([[lean(write_digit(0, style, rng)) for _ in range(8)] for style in styles])
    assert leans.std(1).mean() < 0.5 * leans.mean(1).std()
    assert np.corrcoef(leans.mean(1), [style.slant for style in styles])[0, 1] > 0.8


def test_a_writer_keeps_the_usual_shape():
    for writer in range(5):
        counts = Counter(
            len(write_digit(4, style_of(writer), np.random.default_rng(n))) for n in range(20)
        )
        assert max(counts.values()) >= 12


def test_writers_use_every_shape():
    used = {
        (digit, style.allographs[digit])
        for style in map(style_of, range(1500))
        for digit in range(10)
    }
    assert used == {(digit, n) for digit in range(10) for n in range(len(ALLOGRAPHS[digit]))}
