"""`fit` against a slow, obvious triple loop, and the properties it promises."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from scripts.golden import unpack
from shards import canvas
from shards.canvas import HEIGHT, INK_HEIGHT, INK_WIDTH, RIGHT_MARGIN, WIDTH, crop_ink, fit
from shards.errors import UserError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden.json").read_text())
SIDES = st.integers(1, 60)
STROKES = arrays(np.uint8, st.tuples(SIDES, SIDES), elements=st.sampled_from([0, 0, 0, 90, 255]))


def reference_fit(ink: list[list[float]]) -> np.ndarray:
    """Fit of light ink on black with a peak of 255, pixel by pixel."""
    inked = [(y, x) for y, row in enumerate(ink) for x, value in enumerate(row) if value >= 32]
    top, left = min(y for y, _ in inked), min(x for _, x in inked)
    height = max(y for y, _ in inked) + 1 - top
    width = max(x for _, x in inked) + 1 - left
    scale = min(28 / height, 124 / width)
    out_height = max(1, math.floor(height * scale + 0.5))
    out_width = max(1, math.floor(width * scale + 0.5))

    def overlaps(i: int, source: int, out: int) -> list[float]:
        step = source / out
        box = max(step, 1)
        start = (i + 0.5) * step - box / 2
        return [max(0, min(start + box, j + 1) - max(start, j)) / box for j in range(source)]

    mean = np.zeros((out_height, out_width))
    for y in range(out_height):
        for x in range(out_width):
            across = overlaps(x, width, out_width)
            for j, down in enumerate(overlaps(y, height, out_height)):
                for i, weight in enumerate(across):
                    value = ink[top + j][left + i]
                    mean[y, x] += down * weight * (value if value >= 32 else 0)
    canvas = np.zeros((32, 128), np.uint8)
    first = (32 - out_height) // 2
    canvas[first : first + out_height, 126 - out_width : 126] = mean * 255 / mean.max() + 0.5
    return canvas


def drawing(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Blobs of light ink on black, with a border, full contrast and soft edges."""
    rng = np.random.default_rng(seed)
    ink = np.zeros((height, width), np.uint8)
    for _ in range(4):
        y, x = rng.integers(1, height - 2), rng.integers(1, width - 2)
        ink[y : min(y + height // 3, height - 1), x : min(x + 3, width - 1)] = rng.integers(20, 256)
    ink[height // 2, 1 : width - 1] = 255
    return ink


@pytest.mark.parametrize("size", [(5, 5), (9, 30), (40, 12), (12, 70), (33, 47), (4, 80)])
def test_equals_the_triple_loop(size: tuple[int, int]) -> None:
    ink = drawing(*size)
    expected = reference_fit(ink.tolist())
    assert np.abs(fit(ink).astype(int) - expected).max() <= 1  # ties of rounding
    assert (fit(ink) == expected).mean() > 0.999


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 1000), st.sampled_from([1, 10**6]))
def test_rows_are_summed_one_after_another(height: int, width: int, seed: int, large: int) -> None:
    rng = np.random.default_rng(seed)
    ink = rng.uniform(0, 255, (height, width)).astype(np.float32)
    rows = rng.integers(0, height, (2, 7))
    sums = [np.zeros(width, np.float32)]
    for row in ink:
        sums.append(sums[-1] + row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "_LARGE", large)
        found = canvas._sums_before(ink, rows)
    assert np.array_equal(found, np.array(sums)[rows])


def test_the_bytes_are_these_on_any_machine() -> None:
    digest = hashlib.sha256()
    for i, (height, width) in enumerate([(7, 9), (60, 90), (100, 300), (200, 33), (300, 700)]):
        ink = drawing(height, width, seed=i)
        for kind in (ink, 200 - ink // 3 * 2, ink.astype(np.float32) / 260):
            digest.update(fit(kind).tobytes())
    assert digest.hexdigest()[:16] == "d6468e1c040d07d5"


def test_one_pixel_becomes_a_soft_square() -> None:
    ink = np.zeros((9, 9), np.uint8)
    ink[4, 4] = 255
    image = fit(ink)
    ramp = [min(i + 14.5, 28 - (i - 13.5)) / 28 for i in range(28)]  # linear, 0.5 at the edges
    row = np.floor(np.array(ramp) / max(ramp) * 255 + 0.5)
    assert image[15, 98:126].tolist() == row.tolist()
    assert np.flatnonzero(image.any(axis=0)).tolist() == list(range(98, 126))
    assert np.flatnonzero(image.any(axis=1)).tolist() == list(range(2, 30))


def test_ink_is_cropped_in_its_own_pixels() -> None:
    paper = np.full((20, 30), 250, np.uint8)
    paper[4:9, 7:10] = 150
    paper[8, 9] = 50  # the darkest: contrast 200
    paper[12, 20] = 226  # contrast 24, of 200: under an eighth
    ink = np.full((5, 3), 127.5, np.float32)
    ink[4, 2] = 255
    assert crop_ink(paper).dtype == np.float32
    assert np.array_equal(crop_ink(paper), ink)


def test_a_canonical_picture_stays_as_it_is() -> None:
    image = np.zeros((32, 128), np.uint8)
    image[2:30, 50:126] = 200
    image[10:20, 60:70] = 0
    image[2, 50] = 255
    assert np.array_equal(fit(image), image)


@settings(max_examples=40, deadline=None)
@given(STROKES)
def test_any_drawing_lands_within_the_margins(strokes: np.ndarray) -> None:
    framed = np.pad(strokes, 1)
    framed[1, 1] = 255  # never blank
    image = fit(framed)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert image.shape == (HEIGHT, WIDTH)
    assert image.dtype == np.uint8
    assert image.max() == 255
    assert columns[-1] < WIDTH - RIGHT_MARGIN
    assert columns[0] >= WIDTH - RIGHT_MARGIN - INK_WIDTH
    assert rows[0] >= 2
    assert rows[-1] < 30


@settings(max_examples=40, deadline=None)
@given(STROKES)
def test_polarity_and_border_do_not_matter(strokes: np.ndarray) -> None:
    framed = np.pad(strokes, 1)
    framed[1, 1] = 255
    image = fit(framed)
    assert np.array_equal(fit(255 - framed), image)
    assert np.array_equal(fit(np.pad(framed, ((3, 40), (11, 0)))), image)


def black_and_white(seed: int) -> np.ndarray:
    """A drawing of 84 x 174 px with room on all sides."""
    return np.pad(np.where(drawing(60, 150, seed) > 127, np.uint8(255), np.uint8(0)), 12)


def on_paper(ink: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Lay light ink on black, with room on all sides, dark on paper of its size."""
    strength = ink.astype(np.float32) / 255
    return np.rint(paper * (1 - strength) + 30 * strength).clip(0, 255).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 1000))
def test_a_slope_of_the_light_does_not_matter(across: float, down: float, seed: int) -> None:
    ink = black_and_white(seed)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]] / np.array(ink.shape)[:, None, None]
    slope = on_paper(ink, 185 + across * (x - 0.5) + down * (y - 0.5))
    level = on_paper(ink, np.full(ink.shape, 185.0))
    lit, even = crop_ink(slope), crop_ink(level)
    assert lit.shape == even.shape
    # Ink hides the paper, and gets the slope that was taken out of it; so does the peak.
    assert np.abs(lit - even).max() <= 255 * (abs(across) + abs(down)) / 155 + 4


@settings(max_examples=25, deadline=None)
@given(st.floats(2, 25), st.integers(0, 1000))
def test_the_grain_of_paper_is_no_ink(depth: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ink = black_and_white(seed)
    grain = rng.integers(0, 2, ink.shape) * depth
    assert crop_ink(on_paper(ink, 200 - grain)).shape == crop_ink(ink).shape


@pytest.mark.parametrize("thin", [2, 30])
def test_ink_along_a_whole_side_is_no_slope(thin: int) -> None:
    seven = np.zeros((90, 60), np.uint8)
    seven[:thin] = 255
    seven[:, 20:30] = 255
    np.testing.assert_array_equal(crop_ink(seven), seven)


def test_grain_never_takes_more_than_half_the_ink() -> None:
    ink = np.zeros((40, 90), np.uint8)
    ink[10:30, 10:80] = 255
    ink[14:26, 14:76] = 130
    ink[:, 1::3] = np.maximum(ink[:, 1::3], 100)  # paper as uneven as can be
    kept = crop_ink(ink)
    assert kept.shape == (20, 70)
    assert (kept[5:15, 5:65] == 130).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(6, 90), st.integers(6, 300), st.integers(0, 1000))
def test_a_second_fit_changes_little(height: int, width: int, seed: int) -> None:
    solid = drawing(height, width, seed) > 0  # faint ink at the rim may go under the threshold
    once = fit(solid)
    twice = fit(once)
    assert np.array_equal(once.any(axis=0), twice.any(axis=0))
    assert np.abs(once.astype(int) - twice).mean() < 4


def test_tall_ink_is_28_high_and_wide_ink_124_wide() -> None:
    tall, wide = np.zeros((300, 40), np.uint8), np.zeros((20, 900), np.uint8)
    tall[10:290, 15:25] = 255
    wide[8:12, 10:890] = 255
    assert fit(tall).any(axis=1).sum() == INK_HEIGHT
    assert fit(wide).any(axis=0).sum() == INK_WIDTH
    assert fit(wide).any(axis=1).sum() == 1


def test_array_kinds_mean_the_same() -> None:
    ink = np.where(drawing(30, 80) > 127, np.uint8(255), np.uint8(0))
    expected = fit(ink)
    opaque = np.full_like(ink, 255)
    for same in (
        ink > 0,
        (ink > 0).astype(np.float64),
        (ink > 0).astype(np.float16),
        ink.astype(np.uint16) * 257,
        ink[..., None],
        np.dstack([ink] * 3),
        np.dstack([ink, opaque]),
        np.dstack([ink, ink, ink, opaque]),
        np.asfortranarray(ink),
        np.flip(ink)[::-1, ::-1],
    ):
        assert np.array_equal(fit(same), expected), same.dtype


@pytest.mark.parametrize("colour", [0, 255, 120])
def test_on_a_transparent_ground_alpha_is_the_ink(colour: int) -> None:
    ink = drawing(30, 80)
    rgba = np.dstack([np.full_like(ink, colour)] * 3 + [ink])
    assert np.array_equal(fit(rgba), fit(ink))


def test_a_sticker_on_a_transparent_ground_is_laid_on_white() -> None:
    ink = drawing(30, 80)
    paper = np.zeros((60, 120, 4), np.uint8)
    paper[15:45, 20:100, :3] = 255 - ink[..., None]
    paper[15:45, 20:100, 3] = 255
    assert np.array_equal(fit(paper), fit(ink))


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "LA", "La", "PA", "RGB", "RGBA", "RGBa", "CMYK", "I", "F", "I;16"]
)
def test_pillow_modes_mean_the_same(mode: str) -> None:
    ink = np.where(drawing(30, 80) > 127, np.uint8(255), np.uint8(0))
    image = Image.fromarray(ink)
    if mode in ("I;16", "I"):
        image = Image.fromarray(ink.astype(np.uint16) * 257)
        image = image if mode == "I;16" else image.convert("I")
    elif mode in ("PA", "La", "RGBa"):  # by way of
        image = image.convert({"PA": "P", "La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    else:
        image = image.convert(mode)
    assert image.mode == mode
    assert np.array_equal(fit(image), fit(ink))


def test_files_are_read_whatever_they_hold(tmp_path: Path) -> None:
    ink = np.where(drawing(30, 80) > 127, np.uint8(255), np.uint8(0))
    Image.fromarray(ink).save(tmp_path / "grey.png")
    Image.fromarray(ink.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    palette = Image.fromarray(255 - ink).convert("P")
    palette.save(tmp_path / "palette.png", transparency=255)
    Image.fromarray(ink).save(tmp_path / "grey.bmp")
    for path in tmp_path.iterdir():
        assert np.array_equal(fit(path), fit(ink)), path.name
        assert np.array_equal(fit(str(path)), fit(ink)), path.name


def test_exif_orientation_is_respected(tmp_path: Path) -> None:
    image = Image.fromarray(drawing(30, 80))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    image.rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(fit(tmp_path / "turned.png"), fit(image))


@pytest.mark.parametrize(
    "blank",
    [
        np.zeros((1, 1), np.uint8),
        np.full((50, 50), 255, np.uint8),
        np.pad(np.full((5, 5), 31, np.uint8), 3),
        np.zeros((20, 20, 4), np.uint8),
        np.ones((9, 9), bool),
    ],
)
def test_a_blank_drawing_is_refused(blank: np.ndarray) -> None:
    with pytest.raises(UserError, match="nothing is drawn"):
        fit(blank)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 5), np.uint8), "is no picture"),
        (np.zeros(5, np.uint8), "is no picture"),
        (np.zeros((5, 5, 5), np.uint8), "is no picture"),
        (np.zeros((5, 5), np.int64), "int64 is not understood"),
        (np.full((5, 5), 255.0), "must lie in 0..1"),
        (np.full((5, 5), np.nan), "must lie in 0..1"),
        (None, "a NoneType is no picture: give the path"),
        ([[0, 1], [1, 0]], "a list is no picture"),
        (b"\x89PNG", "a bytes is no picture"),
    ],
)
def test_what_is_no_picture_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=message):
        fit(array)


def test_broken_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    Image.fromarray(drawing(50, 90)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:90])
    for name in ("text.png", "cut.png", "absent.png"):
        with pytest.raises(UserError, match=name):
            fit(tmp_path / name)
    with pytest.raises(UserError, match="no image file"):
        fit(tmp_path)


def test_a_huge_drawing_fits_like_a_small_one() -> None:
    small = drawing(30, 80)
    huge = np.kron(small, np.ones((40, 40), np.uint8))
    assert np.abs(fit(huge).astype(int) - fit(small)).mean() < 4


@pytest.mark.parametrize("golden", GOLDEN, ids=[golden["name"] for golden in GOLDEN])
def test_golden_drawings_are_fitted_to_the_pixel(golden: dict[str, Any]) -> None:
    """What every other implementation of `fit` has to give, too."""
    channels = golden["channels"]
    size = (golden["height"], golden["width"], channels)
    fitted = fit(unpack(golden["pixels"]).reshape(size[: 2 if channels == 1 else 3]))
    apart = np.abs(fitted.astype(int) - unpack(golden["canvas"]).reshape(HEIGHT, WIDTH))
    # Three colours are added up in an order that numpy does not promise.
    assert apart.max() <= (1 if channels > 2 else 0)
