import dataclasses

import numpy as np
import pytest

from generator.bank import Bank
from generator.pen import batch, hands, joins, numbers
from generator.pen.spacing import Line, set_digits
from generator.recipe import preset
from generator.sample import draw

WRITERS = 300


def written(text: str) -> tuple[batch.Strokes, np.ndarray, np.ndarray]:
    """The number `text` by many writers, all tight: strokes, owners and labels of the digits."""
    label = np.tile([int(digit) for digit in text], WRITERS)
    owner = np.repeat(np.arange(WRITERS), len(text))
    place = np.tile(np.arange(len(text)), WRITERS)
    u = np.random.default_rng(2).random((len(label), batch.DRAWS))
    after_foot = (place > 0) & (np.roll(label, 1) == 2)
    strokes = batch.write_digits(hands.draw_hands(np.arange(WRITERS)), owner, label, after_foot, u)
    each = np.ones((WRITERS, 5))
    line = Line(np.full(WRITERS, 0.05), np.ones(WRITERS), each, 0 * each, 0.1 * each)
    return set_digits(strokes, owner, place, label, line), owner, label


def joined(text: str) -> joins.Joins:
    strokes, owner, label = written(text)
    return joins.join(strokes, owner, label, np.ones(len(owner), np.bool_))


@pytest.mark.parametrize("pair", ["00", "20", "22", "50", "80", "24", "53"])
def test_plausible_pairs_are_joined_where_they_lie_close(pair: str) -> None:
    assert len(joined(pair).left) > 3


@pytest.mark.parametrize(
    "pair",
    [f"{a}{b}" for a in range(10) for b in range(10) if 1 in (a, b)]
    + ["30", "33", "60", "70", "90", "27", "23", "26", "04", "08", "09", "57", "84", "87"],
)
def test_pairs_that_would_change_a_digit_are_refused(pair: str) -> None:
    assert len(joined(pair).left) == 0


def test_a_join_leads_from_the_end_of_one_digit_to_the_start_of_the_next() -> None:
    strokes, owner, label = written("2050")
    found = joins.join(strokes, owner, label, np.ones(len(owner), np.bool_))
    begin = strokes.start[strokes.first]
    end = np.append(begin[1:], len(strokes.x)) - 1
    points = np.stack([strokes.x, strokes.y])
    np.testing.assert_allclose(found.path[..., 0], points[:, end[found.left]], atol=1e-12)
    np.testing.assert_allclose(found.path[..., -1], points[:, begin[found.left + 1]], atol=1e-12)
    assert np.all(owner[found.left] == owner[found.left + 1])
    hops = np.hypot(*np.diff(found.path, axis=2))
    assert hops.max() < 0.25


def test_where_none_is_wanted_none_is_joined() -> None:
    strokes, owner, label = written("200")
    assert len(joins.join(strokes, owner, label, np.zeros(len(owner), np.bool_)).left) == 0


def test_only_fast_writers_join(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw(bank, "train", preset("written").override(["digits=5"]), 1, 0, 300)
    rows = np.arange(300)
    usual = numbers.write("train", drawn, 1, rows).images
    images = {}
    for flow in (0.0, 1.0):

        def even(writers: np.ndarray, flow: float = flow) -> hands.Hands:
            hand = hands.draw_hands(writers)
            return dataclasses.replace(hand, flow=np.full(len(writers), flow))

        with monkeypatch.context() as patch:
            patch.setattr(numbers, "draw_hands", even)
            images[flow] = numbers.write("train", drawn, 1, rows).images
    lifted, running = ((images[flow] != usual).any(axis=(1, 2)).mean() for flow in (0.0, 1.0))
    assert 0 < lifted < 0.2
    assert 0.02 < running < 0.2
