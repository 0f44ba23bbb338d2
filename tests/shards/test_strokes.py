import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.errors import UserError
from shards.strokes import ink, parse_drawing, parse_pen, parse_strokes, read_drawing

POINT = st.tuples(st.integers(-500, 500), st.integers(-500, 500))
STROKES = st.lists(st.lists(POINT, min_size=1, max_size=6), min_size=1, max_size=3)
SEVEN = {"label": "7", "pen": 3, "strokes": [[[0, 0], [4, 0], [1, 10]]]}


@given(STROKES, st.integers(1, 300), st.integers(1, 600))
def test_ink_has_the_side_asked_for_and_no_edge_touches_it(
    points: list[Any], pen: float, side: int
) -> None:
    drawn = ink([np.array(stroke, float) for stroke in points], pen, side)
    assert max(drawn.shape) == pytest.approx(side + 4, abs=1)
    rows, columns = np.nonzero(drawn)
    assert 0 <= rows.min() <= 4
    assert 0 <= columns.min() <= 4
    assert drawn.shape[0] - rows.max() <= 5
    assert drawn.shape[1] - columns.max() <= 5


def test_a_line_is_as_wide_as_the_pen_and_a_point_a_dot() -> None:
    line = ink([np.array([[0.0, 0.0], [0.0, 90.0]])], 10, 100)
    assert (line >= 128).sum(axis=1)[50] in (10, 11)  # OpenCV counts the middle, too
    dot = ink([np.array([[5.0, 5.0]])], 10, 100)
    assert (dot >= 128).sum() == pytest.approx(np.pi * 50**2, rel=0.05)


def test_far_points_and_wide_pens_take_no_more_room() -> None:
    corner = [np.array([[-1e9, -1e9], [1e9, 1e9]])]
    assert ink(corner, 1e-9, 64).shape == (68, 68)
    assert ink(corner, 1e9, 64).shape == (68, 68)


@pytest.mark.parametrize(
    ("strokes", "fault"),
    [
        (None, "there are no strokes"),
        ({}, "there are no strokes"),
        ([[]], "stroke 1 is empty"),
        ([[[1, 2]], 3], "stroke 2 is empty"),
        ([[[1, 2], [3]]], "not a list of points"),
        ([[["1", "2"]]], "not a list of points"),
        ([[[1, 2, 3]]], "not a list of points"),
        ([[[True, False]]], "not a list of points"),
        ([[[10**400, 0]]], "not a list of points"),
        ([[[2e9, 0]]], "not within 1e"),
        (json.loads("[[[NaN, 0]]]"), "not within 1e"),
        (json.loads("[[[0, -Infinity]]]"), "not within 1e"),
    ],
)
def test_what_is_no_strokes_is_refused(strokes: Any, fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        parse_strokes(strokes)


@pytest.mark.parametrize(
    "pen", [0, -1, None, "3", 1e10, float("nan"), float("inf"), [1], 1e-320, True]
)
def test_what_is_no_pen_is_refused(pen: Any) -> None:
    with pytest.raises(UserError, match="not a width above 0"):
        parse_pen(pen)


def test_a_drawing_is_read_from_its_file_and_faults_name_it(tmp_path: Path) -> None:
    path = tmp_path / "a_1.json"
    path.write_text(json.dumps(SEVEN | {"writer": "a"}))
    drawing = read_drawing(path)
    assert (drawing.label, drawing.pen, len(drawing.strokes)) == ("7", 3.0, 1)
    for content in (b"", b"[1]", b"\xff", b"[" * 100_000, b'{"label": 7}', b'{"label": "x"}'):
        path.write_bytes(content)
        with pytest.raises(UserError, match="a_1.json is no drawing"):
            read_drawing(path)
    with pytest.raises(UserError, match="label '123456' is not a number"):
        parse_drawing(SEVEN | {"label": "123456"})
