import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.overlay import LEFT, extents, make_room, move

BOXES = [[10, 4, 6, 20], [20, 6, 5, 18], [0, 0, 0, 0]]


@pytest.fixture
def boxes() -> np.ndarray:
    return np.array(BOXES, np.int16)


def drawn(boxes: np.ndarray) -> np.ndarray:
    """Each digit a block of its own level."""
    image = np.zeros((32, 128), np.uint8)
    for level, (x, y, width, height) in enumerate(boxes[boxes[:, 2] > 0].tolist(), start=100):
        image[y : y + height, x : x + width] = level
    return image


def test_extents_leave_out_what_is_absent(boxes: np.ndarray) -> None:
    assert extents(boxes) == (10, 4, 25, 24)


def test_room_opens_at_a_column_and_what_is_right_of_it_stays(boxes: np.ndarray) -> None:
    image = drawn(boxes)
    there = boxes[:2]
    assert make_room(image, there, 18, 5)
    assert there.tolist() == [[5, 4, 6, 20], [20, 6, 5, 18]]
    np.testing.assert_array_equal(image, drawn(there))


def test_nothing_moves_where_the_first_digit_would_leave_the_room(boxes: np.ndarray) -> None:
    image, there = drawn(boxes), boxes[:2]
    assert not make_room(image, there, 25, 10 - LEFT + 1)
    assert there.tolist() == BOXES[:2]
    np.testing.assert_array_equal(image, drawn(boxes))
    assert make_room(image, there, 25, 10 - LEFT)


@given(across=st.integers(-10, 103), down=st.integers(-4, 8))
def test_a_move_takes_image_and_boxes_along(across: int, down: int) -> None:
    boxes = np.array(BOXES[:2], np.int16)
    image = drawn(boxes)
    move(image, boxes, across, down)
    assert boxes[:, :2].tolist() == [[10 + across, 4 + down], [20 + across, 6 + down]]
    np.testing.assert_array_equal(image, drawn(boxes))


@given(across=st.integers(-127, 127), down=st.integers(-31, 31))
def test_what_passes_an_edge_is_lost_and_does_not_come_back(across: int, down: int) -> None:
    boxes = np.array(BOXES[:2], np.int16)
    image = drawn(boxes)
    padded = np.pad(image, ((40, 40), (140, 140)))
    expected = padded[40 - down : 72 - down, 140 - across : 268 - across]
    move(image, boxes, across, down)
    np.testing.assert_array_equal(image, expected)
