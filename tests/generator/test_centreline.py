import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.bank import Bank
from generator.centreline import STEPS_PER_PX, centreline_fields, thin


def slow_thin(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Zhang and Suen's algorithm as they wrote it, pixel by pixel."""
    ink = np.pad(ink, 1)
    changed = True
    while changed:
        changed = False
        for step in (0, 1):
            gone = []
            for y, x in zip(*np.nonzero(ink), strict=True):
                p = [
                    int(ink[y + dy, x + dx])
                    for dy, dx in (
                        (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1),
                    )
                ]  # fmt: skip
                rises = sum(p[k] == 0 and p[(k + 1) % 8] == 1 for k in range(8))
                n, e, s, w = p[0], p[2], p[4], p[6]
                open_sides = (
                    n * e * s == 0 and e * s * w == 0
                    if step == 0
                    else n * e * w == 0 and n * s * w == 0
                )
                if 2 <= sum(p) <= 6 and rises == 1 and open_sides:
                    gone.append((y, x))
            for y, x in gone:
                ink[y, x] = 0
                changed = True
    return ink[1:-1, 1:-1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_thinning_equals_the_slow_algorithm(seed: int, blur: int) -> None:
    noise = np.random.default_rng(seed).random((24, 24))
    blob = (cv2.GaussianBlur(noise, (0, 0), blur) > 0.5).astype(np.uint8)
    blob[[0, -1]] = blob[:, [0, -1]] = 0
    np.testing.assert_array_equal(thin(blob), slow_thin(blob))


def test_digits_keep_their_parts_and_lose_their_width(bank: Bank) -> None:
    for glyph in bank.images[::17]:
        ink = (glyph >= 96).astype(np.uint8)
        line = thin(ink)
        assert np.all(line <= ink)
        assert cv2.connectedComponents(line)[0] == cv2.connectedComponents(ink)[0]
        # A 2x2 block of ink is left only where lines cross.
        blocks = line[1:, 1:] & line[:-1, 1:] & line[1:, :-1] & line[:-1, :-1]
        assert blocks.sum() <= 2


def test_the_field_falls_with_the_distance_to_a_stroke() -> None:
    glyph = np.zeros((1, 56, 56), np.uint8)
    cv2.line(glyph[0], (28, 8), (28, 48), 255, 7)
    field = centreline_fields(glyph)[0, 28].astype(int)
    assert field[28] >= 250
    for away in range(1, 9):
        expected = 255 - STEPS_PER_PX * away
        assert abs(field[28 + away] - expected) <= STEPS_PER_PX
        assert abs(field[28 - away] - expected) <= STEPS_PER_PX
    assert not centreline_fields(glyph)[0, [0, -1]].any()


def test_neighbours_in_a_batch_do_not_see_each_other(bank: Bank) -> None:
    glyphs = np.array(bank.images[:7])
    alone = np.concatenate([centreline_fields(glyph[None]) for glyph in glyphs])
    np.testing.assert_array_equal(centreline_fields(glyphs), alone)
