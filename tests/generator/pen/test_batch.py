import numpy as np
import pytest

from generator.pen import Style, batch, hands, movement, write_digit
from generator.pen.allographs import ALLOGRAPHS
from generator.pen.shapes import ROUNDINGS, shapes
from generator.pen.style import draw_style

STILL = {"looseness": 0, "distortion": 0, "tremor": 0, "overshoot": 0, "hook": 0, "fickleness": 0}
DIGITS = np.arange(10)
# Digit heights: a batch measures a digit, to make it one high, by its chords.
NEAR = 0.025


def hand_of(style: Style) -> hands.Hands:
    """The hand of a style, all of it but what a batch draws differently."""
    same = ["slant", "aspect", "rotation", "rounding", "balance", "taper"]
    values = {name: np.array([float(getattr(style, name))]) for name in (*same, *STILL)}
    return hands.Hands(
        **values,
        flow=np.zeros(1),
        kern=np.zeros(1),
        size=np.ones((1, 10)),
        drop=np.zeros((1, 10)),
        shape=shapes().first[None, :10] + np.array(style.allographs),
        field=np.zeros((1, 10, hands.WAVES**2, 2)),
    )


@pytest.mark.parametrize("writer", range(12))
@pytest.mark.parametrize("rounding", [ROUNDINGS[0], 0.03])
def test_a_steady_hand_writes_what_write_digit_writes(writer: int, rounding: float) -> None:
    drawn = draw_style(np.random.default_rng(writer))
    style = Style(**(vars(drawn) | STILL | {"rounding": rounding}))
    u = np.random.default_rng(0).random((10, batch.DRAWS))
    strokes = batch.write_digits(hand_of(style), 0 * DIGITS, DIGITS, DIGITS < 0, u)
    for digit in range(10):
        expected = write_digit(digit, style, np.random.default_rng(0))
        mine = np.flatnonzero(strokes.digit == digit)
        assert len(mine) == len(expected)
        for row, path in zip(mine, expected, strict=True):
            span = slice(strokes.start[row], strokes.end[row] + 1)
            points = np.stack([strokes.x[span], strokes.y[span] + 1], axis=1)
            distances = np.linalg.norm(points[:, None] - path, axis=2)
            assert distances.min(axis=1).max() < NEAR
            # Its ends are the path's, and its chords leave nothing out.
            assert np.linalg.norm(points[[0, -1]] - path[[0, -1]], axis=1).max() < NEAR
            middles = np.concatenate([points, (points[1:] + points[:-1]) / 2])
            assert np.linalg.norm(middles[:, None] - path, axis=2).min(axis=0).max() < 0.12


def test_a_digit_as_written_is_one_high_and_begins_at_the_left() -> None:
    writers = np.arange(40)
    owner, digits = np.repeat(writers, 10), np.tile(DIGITS, 40)
    u = np.random.default_rng(1).random((400, batch.DRAWS))
    strokes = batch.write_digits(hands.draw_hands(writers), owner, digits, digits < 0, u)
    left, top, right, bottom = strokes.boxes()
    np.testing.assert_allclose(left, 0, atol=1e-12)
    np.testing.assert_allclose(top, -1)
    np.testing.assert_allclose(bottom, 0, atol=1e-12)
    assert right.max() < 4
    chords = np.hypot(np.diff(strokes.x), np.diff(strokes.y))[np.diff(strokes.stroke) == 0]
    assert chords.max() < 0.7


def test_after_a_foot_a_zero_comes_from_below() -> None:
    writers = np.arange(10)
    u = np.random.default_rng(1).random((10, batch.DRAWS))
    strokes = batch.write_digits(hands.draw_hands(writers), writers, DIGITS, DIGITS >= 0, u)
    assert (strokes.shape == shapes().joined_zero).tolist() == (DIGITS == 0).tolist()
    assert strokes.y[0] > -0.5


def test_every_shape_is_somebodys_habit_but_the_joined_zero() -> None:
    used = hands.draw_hands(np.arange(3000)).shape
    table = shapes()
    first, last = table.first[:10], table.first[1:]
    assert np.all((used >= first) & (used < last))
    unused = set(range(table.joined_zero + 1)) - set(used.ravel().tolist())
    assert unused == {table.joined_zero}


def test_usual_shapes_are_as_frequent_as_their_weights() -> None:
    table = shapes()
    u = (np.arange(1000) + 0.5) / 1000
    for digit in range(10):
        chosen = hands.choose(np.full(1000, digit), u)
        counts = np.bincount(
            chosen - table.first[digit], minlength=table.first[digit + 1] - table.first[digit]
        )
        chances = np.diff(table.chance[table.first[digit] : table.first[digit + 1]], prepend=0)
        assert np.abs(counts / 1000 - chances).max() <= 0.002


def test_the_weights_of_near_control_points_give_the_whole_path() -> None:
    table = shapes()
    for rounding, basis in zip(ROUNDINGS, table.basis, strict=True):
        for row, shape in enumerate(shape for digit in ALLOGRAPHS for shape in digit):
            for side, points in enumerate(shape.strokes):
                path = movement.trace(points.astype(np.float64), rounding)
                span = slice(
                    table.start[row, side], table.start[row, side] + table.count[row, side]
                )
                near = table.near[span] + np.arange(len(basis))[:, None]
                found = (table.control[:, row, side, near] * basis[:, span]).sum(axis=1).T
                off = np.linalg.norm(found[:, None] - path, axis=2).min(axis=1)
                assert off.max() < 1e-3
