import cv2
import numpy as np
import numpy.typing as npt
import pytest

from generator.bank import Bank
from generator.centreline import centreline_fields, thin
from generator.loops import LOOPS, count_loops, filled_loops, ink_with_loops

U8 = npt.NDArray[np.uint8]


def nine(hole: int) -> U8:
    """Draw a thick 9 whose loop's middle has the grey level `hole`."""
    glyph = np.zeros((56, 56), np.uint8)
    cv2.line(glyph, (33, 20), (28, 46), 255, 6)
    cv2.circle(glyph, (26, 18), 9, 255, -1)
    cv2.circle(glyph, (26, 18), 2, hole, -1)
    return glyph


def inked(glyph: U8, label: int | None) -> U8:
    labels = None if label is None else np.array([label], np.uint8)
    return (centreline_fields(glyph[None], labels)[0] >= 255 - 12).astype(np.uint8)


@pytest.mark.parametrize(("hole", "loops"), [(0, 1), (120, 1), (180, 1), (210, 1), (250, 0)])
def test_a_loop_that_is_a_little_darker_is_open(hole: int, loops: int) -> None:
    assert count_loops(ink_with_loops(nine(hole), 9)) == loops
    assert count_loops(inked(nine(hole), 9)) == loops


def test_a_digit_without_loops_is_told_by_one_level() -> None:
    for glyph in (nine(120), nine(250)):
        np.testing.assert_array_equal(ink_with_loops(glyph, 7), glyph >= 96)


def test_a_level_that_breaks_the_digit_up_is_not_taken() -> None:
    glyph = nine(120)
    glyph[30:34] = np.minimum(glyph[30:34], 110)
    np.testing.assert_array_equal(ink_with_loops(glyph, 9), glyph >= 96)


def test_a_filled_loop_stays_a_patch_of_ink() -> None:
    thinned, kept = inked(nine(255), None), inked(nine(255), 9)
    around = cv2.circle(np.zeros_like(kept), (26, 18), 5, 1, -1) > 0
    assert kept[around].all()
    assert thinned[around].mean() < 0.3
    # The stem is no part of the loop, and thinner than it was.
    assert 2 <= kept[40].sum() < (nine(255)[40] > 96).sum()


def test_strokes_alone_are_thinned_whatever_the_label() -> None:
    glyph = np.zeros((56, 56), np.uint8)
    cv2.ellipse(glyph, (28, 28), (14, 20), 0, 30, 320, 255, 6)  # an open 0
    np.testing.assert_array_equal(inked(glyph, 0), inked(glyph, None))
    nothing = filled_loops(*[np.zeros((9, 9), np.uint8)] * 2, 8)
    assert not nothing.any()


def test_thinning_keeps_every_loop_that_was_found(bank: Bank) -> None:
    looped = [row for row in range(len(bank.labels)) if LOOPS[int(bank.labels[row])]]
    assert len(looped) > 50
    for row in looped:
        ink = ink_with_loops(bank.images[row], int(bank.labels[row]))
        line = thin(np.pad(ink, 1))
        kept = line | filled_loops(np.pad(ink, 1), line, int(bank.labels[row]))
        assert count_loops(ink) == count_loops(line) == count_loops(kept)
