import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generator import strokes
from generator.build import Order, build
from generator.sources.strokes import StrokeDigits, read_strokes
from generator.strokes import StrokeRecipe, StrokeStream, fit_layers, ink, lay_out
from shards import canvas
from shards.errors import UserError
from shards.reader import DataSet
from shards.verify import verify

SEVEN = [[[0, 0], [40, 0], [10, 100]], [[5, 50], [35, 50]]]


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return path


def digit(label: Any, writer: Any = "anna", drawn: Any = SEVEN) -> dict[str, Any]:
    return {"label": label, "writer": writer, "strokes": drawn}


@pytest.fixture
def digits(tmp_path: Path) -> StrokeDigits:
    """Two writers, ten digits each: zigzags of d + 2 points, each writer of her own width."""
    lines = [
        digit(d, writer, [[[width * (k % 2), 10 * k] for k in range(d + 2)]])
        for writer, width in (("anna", 30), ("ben", 60))
        for d in range(10)
    ]
    return read_strokes(write(tmp_path / "digits.jsonl", *lines), "some", "MIT")


def test_lines_become_digits_and_keep_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", digit(7), "", digit("3", 5), digit(1), digit(2))
    found = read_strokes(path, "some", "MIT")
    assert [(d.line, d.label, d.writer) for d in found.digits] == [
        (1, 7, "anna"),
        (3, 3, "5"),
        (4, 1, "anna"),
        (5, 2, "anna"),
    ]
    assert found.writers() == [("anna", 1, 2), ("5", 3, 4), ("anna", 4, 6)]
    np.testing.assert_array_equal(found.digits[0].strokes[1], [[5, 50], [35, 50]])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "this is not JSON"),
        ("[1]", "not an object"),
        (digit(10), "the label is 10, not a digit"),
        (digit(True), "the label is True, not a digit"),
        (digit("x"), "the label is 'x', not a digit"),
        (digit([7]), r"the label is \[7\], not a digit"),
        (digit(7, ""), "the writer is ''"),
        (digit(7, drawn=[]), "there are no strokes"),
        (digit(7, drawn=[[[0, 0]], []]), "stroke 2 is empty"),
        (digit(7, drawn=[[[0, 0, 1]]]), "stroke 1 is not a list of points"),
        (digit(7, drawn=[[[0, 0], [1]]]), "stroke 1 is not a list of points"),
        (digit(7, drawn=[[["0", "1"]]]), "stroke 1 is not a list of points"),
        (digit(7, drawn=[[[0, float("nan")]]]), "stroke 1 has a point that is not within 1e"),
        (digit(7, drawn=[[[0, float("inf")]]]), "stroke 1 has a point that is not within 1e"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: Any, fault: str) -> None:
    path = write(tmp_path / "d.jsonl", digit(7), line)
    with pytest.raises(UserError, match=f"d.jsonl, line 2: .*{fault}"):
        read_strokes(path, "some", "MIT")


def test_files_without_digits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        read_strokes(tmp_path / "none.jsonl", "some", "MIT")
    with pytest.raises(UserError, match="holds no digit"):
        read_strokes(write(tmp_path / "empty.jsonl", ""), "some", "MIT")
    (tmp_path / "latin.jsonl").write_bytes(b"\xe9\n")
    with pytest.raises(UserError, match="not UTF-8"):
        read_strokes(tmp_path / "latin.jsonl", "some", "MIT")


def test_someone_must_have_written_all_ten_digits(tmp_path: Path) -> None:
    lines = [digit(d, "anna") for d in range(8)] + [digit(d, "ben") for d in (8, 9)]
    stream = StrokeStream(read_strokes(write(tmp_path / "d.jsonl", *lines), "some", "MIT"), 1)
    with pytest.raises(UserError, match="nearest is anna, who lacks 8, 9"):
        build(Order(tmp_path / "out", stream, {"test": 5}, 10), workers=1)
    assert not (tmp_path / "out").exists()


def test_a_number_has_one_writer_and_the_ids_are_the_lines(digits: StrokeDigits) -> None:
    samples = StrokeStream(digits, seed=3).render("test", 0, 200)
    by_line = {d.line: d for d in digits.digits}
    for labels, ids in zip(samples.digits, samples.ids, strict=True):
        chosen = [by_line[line] for line in ids[ids >= 0].tolist()]
        assert [d.label for d in chosen] == labels[labels >= 0].tolist()
        assert len({d.writer for d in chosen}) == 1
    lengths = (samples.digits >= 0).sum(axis=1)
    assert set(lengths.tolist()) == {1, 2, 3, 4, 5}
    leading = (samples.digits[lengths > 1, 0] == 0).mean()
    assert 0 < leading < 0.05  # a tenth of a tenth


def test_a_sample_depends_on_seed_and_number_alone(digits: StrokeDigits) -> None:
    stream = StrokeStream(digits, seed=3)
    whole, part = stream.render("test", 0, 30), stream.render("test", 20, 10)
    np.testing.assert_array_equal(whole.images[20:], part.images)
    np.testing.assert_array_equal(whole.boxes[20:], part.boxes)
    assert (StrokeStream(digits, seed=4).render("test", 20, 10).images != part.images).any()


def test_the_boxes_together_bound_the_ink(digits: StrokeDigits) -> None:
    samples = StrokeStream(digits, seed=5).render("test", 0, 60)
    for image, boxes in zip(samples.images, samples.boxes, strict=True):
        rows, columns = np.nonzero(image >= canvas.FAINT)
        there = boxes[boxes[:, 2] > 0]
        low, high = there[:, :2].min(axis=0), (there[:, :2] + there[:, 2:]).max(axis=0)
        assert low.tolist() == [columns.min(), rows.min()]
        assert high.tolist() == [columns.max() + 1, rows.max() + 1]
        assert columns.max() == canvas.WIDTH - canvas.RIGHT_MARGIN - 1


def test_layers_are_fitted_as_one_drawing_and_boxed_one_by_one() -> None:
    layers = np.zeros((2, 60, 100), np.uint8)
    layers[0, 10:38, 20:30] = 255  # 28 px high: the canvas keeps the scale
    layers[1, 16:26, 40:48] = 255
    image, boxes = fit_layers(layers)
    np.testing.assert_array_equal(image, canvas.fit(layers.max(axis=0)))
    assert boxes.tolist() == [[98, 2, 10, 28], [118, 8, 8, 10]]


def test_digits_stand_on_a_line_with_the_wanted_gaps(digits: StrokeDigits) -> None:
    look = StrokeRecipe(size=(1, 1), baseline=(0, 0), gap=(0.1, 0.1))
    placed = lay_out([digits.digits[3], digits.digits[8]], look, 20.0, np.zeros((2, 3)))
    first, second = (np.concatenate(each) for each in placed)
    for points in (first, second):
        assert (points[:, 1].min(), points[:, 1].max()) == (-strokes.HEIGHT, 0)
    # Paths are apart by the gap and a half pen on either side.
    assert second[:, 0].min() - first[:, 0].max() == pytest.approx(0.1 * strokes.HEIGHT + 20)


def test_a_dash_stays_thin_and_a_dot_is_a_dot(tmp_path: Path) -> None:
    lines = [digit(1, drawn=[[[0, 0], [300, 1]]]), digit(1, drawn=[[[5, 5]]])]
    dash, dot = read_strokes(write(tmp_path / "d.jsonl", *lines), "some", "MIT").digits
    look = StrokeRecipe(size=(1, 1))
    ((line,),) = lay_out([dash], look, 10.0, np.zeros((1, 3)))
    assert np.ptp(line[:, 0]) == strokes.WIDEST * strokes.HEIGHT
    (drawn,) = ink(lay_out([dot], look, 10.0, np.zeros((1, 3))), 10.0)
    rows, columns = np.nonzero(drawn >= 128)
    assert 9 <= np.ptp(rows) + 1 <= 12
    assert 9 <= np.ptp(columns) + 1 <= 12


def test_the_data_set_is_sound_and_names_its_writers(digits: StrokeDigits, tmp_path: Path) -> None:
    folder = tmp_path / "tablet"
    build(Order(folder, StrokeStream(digits, 1), {"test": 50}, 20), workers=2)
    assert verify(folder) == []
    manifest = DataSet(folder).manifest
    assert manifest.splits == {"test": 50}
    assert manifest.recipe["pen"] == [0.04, 0.22]
    (source,) = manifest.sources
    assert source["writers"] == [["anna", "test", 1, 11], ["ben", "test", 11, 21]]
    assert (source["name"], source["licence"], source["count"]) == ("some", "MIT", 20)
    assert (folder / "README.md").exists()
    assert (folder / "preview.png").exists()
