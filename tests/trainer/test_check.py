"""Checkers as files and commands."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from PIL import Image
from typer.testing import CliRunner

import trainer.check as module
from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from tests.trainer.test_pretrained import drawings
from trainer.answers import by_file, by_logits
from trainer.check import Check, Checker
from trainer.check_export import add_checkers, prove, read_thresholds
from trainer.check_graph import Thresholds, with_check
from trainer.cli import app
from trainer.export import export
from trainer.facts import read_card, read_json, write_json
from trainer.graph import write_model
from trainer.likelihood import answers
from trainer.quantize import quantize
from trainer.read import Reader
from trainer.runtime import open_session, run
from trainer.shipped import FOLDER as PRETRAINED


@pytest.fixture(scope="module")
def folder(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("checker")
    export(run, out, printed, 32)
    quantize(out, printed, 1, 32)
    return out


def test_a_checker_is_two_float32_tensors_in_and_one_out(folder: Path) -> None:
    for name in ("checker.onnx", "checker.int8.onnx"):
        model = onnx.load(folder / name)
        values = (*model.graph.input, *model.graph.output)
        assert [value.name for value in values] == ["image", "expected", "answer"]
        types = [value.type.tensor_type for value in values]
        assert [t.elem_type for t in types] == [TensorProto.FLOAT] * 3
        shapes = [[dim.dim_value for dim in t.shape.dim] for t in types]
        assert shapes == [[1, 1, 32, 128], [1, 5], [1, 4]]
        assert {entry.domain for entry in model.opset_import} == {""}
        assert not any(
            attribute.HasField("g") for n in model.graph.node for attribute in n.attribute
        )


def test_a_quantized_checker_is_a_little_larger_than_its_reader(folder: Path) -> None:
    sizes = [(folder / f"{stem}.int8.onnx").stat().st_size for stem in ("reader", "checker")]
    assert sizes[1] < min(170_000, sizes[0] + 10_000)


def test_its_thresholds_are_in_its_card(folder: Path) -> None:
    facts = json.loads((folder / "reader.int8.json").read_text())
    card = read_card(folder / "checker.int8.onnx")
    assert card == facts
    thresholds = read_thresholds(card, folder)
    assert 0.5 <= thresholds.right_from < 1
    assert 0 < thresholds.wrong_to <= 0.5
    with pytest.raises(UserError, match="x names no thresholds; make it with trainer checker"):
        read_thresholds({}, Path("x"))


def test_it_answers_as_its_logits_do(folder: Path, printed: DataSet) -> None:
    images, truth = printed.gather("test", np.arange(32))
    checker, logits = Checker(folder / "checker.onnx"), open_session(folder / "logits.onnx")
    thresholds = read_thresholds(read_card(folder / "checker.onnx"), folder)
    for image, digits in zip(images, truth, strict=True):
        label = "".join(str(digit) for digit in digits if digit >= 0)
        found = checker.check_canvas(image, label)
        wanted = answers(run(logits, image[None]), digits[None], thresholds)[0].tolist()
        assert found.verdict == {1: "right", 0: "ask again", -1: "wrong"}[wanted[0]]
        assert found.probability == pytest.approx(wanted[1], abs=1e-5)
        assert found.reading_probability == pytest.approx(wanted[2], abs=1e-5)
        assert found.value == wanted[3]


@pytest.mark.parametrize(("column", "apart"), [(1, 2e-4), (2, 2e-4), (3, 1), (1, np.nan)])
def test_a_checker_that_differs_from_its_logits_fails_the_proof(
    folder: Path, printed: DataSet, column: int, apart: float
) -> None:
    file = by_file(open_session(folder / "checker.onnx", ("answer",)))
    thresholds = read_thresholds(read_card(folder / "checker.onnx"), folder)
    reference = by_logits(open_session(folder / "logits.onnx"), thresholds)
    prove(file, reference, printed)

    def other(*question: np.ndarray) -> np.ndarray:
        found = reference(*question)
        found[7, column] += apart
        return found

    with pytest.raises(UserError, match=r"differs from NumPy by .*; nothing was written"):
        prove(file, other, printed)


def test_logits_alone_become_a_checker(folder: Path, printed: DataSet, tmp_path: Path) -> None:
    shutil.copy(folder / "logits.int8.onnx", tmp_path / "logits.onnx")
    assert add_checkers(tmp_path, printed, 32) == [tmp_path / "checker.onnx"]
    made, own = onnx.load(tmp_path / "checker.onnx"), onnx.load(folder / "checker.int8.onnx")
    assert made == own
    with pytest.raises(UserError, match=r"has no logits.onnx, of which a checker is made"):
        add_checkers(printed.folder, printed, 32)


def test_the_json_beside_a_new_checker_tells_its_thresholds(
    folder: Path, printed: DataSet, tmp_path: Path
) -> None:
    for name in ("logits.int8.onnx", "reader.int8.onnx", "reader.int8.json"):
        shutil.copy(folder / name, tmp_path)
    old = read_json(tmp_path / "reader.int8.json")
    write_json(old | {"check_right_from": "0.75"}, tmp_path / "reader.int8.json")
    add_checkers(tmp_path, printed, 8)
    facts = read_json(tmp_path / "reader.int8.json")
    assert facts == read_card(tmp_path / "checker.int8.onnx")
    assert facts["check_right_from"] != "0.75"


def test_calibration_does_not_depend_on_how_much_is_measured(
    run: Path, printed: DataSet, tmp_path: Path
) -> None:
    cards = [export(run, tmp_path / str(images), printed, images) for images in (3, 50)]
    told = [{k: c[k] for k in ("temperature", "check_right_from", "check_wrong_to")} for c in cards]
    assert told[0] == told[1]
    assert [card["accuracy_images"] for card in cards] == ["3", "50"]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 128), np.float32),
        np.zeros((32, 128), np.bool),
        np.zeros((128, 32), np.uint8),
        np.zeros((1, 32, 128), np.uint8),
        [[0] * 128] * 32,
    ],
)
def test_what_is_no_canvas_is_told(folder: Path, image: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"is no canvas.*: bring the drawing in by fit\(\)"):
        Checker(folder / "checker.onnx").check_canvas(image, 7)
    with pytest.raises(UserError, match=r"is no canvas.*: bring the drawing in by fit\(\)"):
        Reader(folder / "reader.onnx").read_canvas(image)


def test_a_checker_has_no_operator_that_its_reader_has_not() -> None:
    for folder in PRETRAINED.iterdir():
        kinds = [
            {node.op_type for node in onnx.load(folder / name).graph.node}
            for name in ("checker.onnx", "reader.onnx")
        ]
        assert kinds[0] <= kinds[1], folder


def test_a_checker_without_val_images_is_refused(folder: Path, printed: DataSet, tmp_path) -> None:
    shutil.copy(folder / "logits.onnx", tmp_path)
    bare = DataSet(write_data_set(tmp_path / "bare", {"test": 4, "val": 0, "train": 2}, "bare"))
    with pytest.raises(UserError, match="has no images of the split 'val'"):
        add_checkers(tmp_path, bare, 4)
    assert not (tmp_path / "checker.onnx").exists()


def test_one_file_is_not_taken_for_another(folder: Path, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(UserError, match="not image to answer; name the checker.onnx beside it"):
        Checker(folder / "reader.onnx")
    with pytest.raises(UserError, match="not image to logits or reading; name the reader.onnx"):
        Reader(folder / "checker.onnx")
    monkeypatch.setattr(module, "DEFAULT", tmp_path / "absent.onnx")
    with pytest.raises(UserError, match="no checker ships with this copy; make one"):
        Checker()


@pytest.mark.parametrize("answer", ["", "4x", "-3", "123456", "1.5", "٣", " 4", 100_000, -1, True])
def test_an_answer_that_is_no_number_is_refused(folder: Path, answer: object) -> None:
    with pytest.raises(UserError, match="is not a number of 1 to 5 digits 0-9"):
        Checker(folder / "checker.onnx").check_canvas(np.zeros((32, 128), np.uint8), answer)


def test_an_empty_canvas_is_no_wrong_answer(folder: Path) -> None:
    found = Checker(folder / "checker.int8.onnx").check_canvas(np.zeros((32, 128), np.uint8), 7)
    assert found == Check("ask again", 0.0, 0.0, -1)


def test_the_commands(folder: Path, printed: DataSet, tmp_path: Path) -> None:
    def said(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.output

    image, digits = (part[0] for part in printed.gather("test", np.array([0])))
    Image.fromarray(255 - image).resize((512, 128)).save(tmp_path / "drawing.png")
    label = "".join(str(digit) for digit in digits if digit >= 0)
    checker = folder / "checker.onnx"
    line = said("check", tmp_path / "drawing.png", "--answer", label, "--model", checker)
    verdict, probability, read = line.split("\t")
    assert verdict in ("right", "ask again", "wrong")
    assert probability.startswith(f"{label} has probability 0.")
    assert read.startswith(("read as ", "no number is read, 0.000"))
    table = said("answers", checker, printed.folder, "--out", tmp_path / "table.md")
    assert table == (tmp_path / "table.md").read_text()
    assert "| right | 64 |" in table
    shutil.copy(folder / "logits.onnx", tmp_path)
    assert "written: " in said("checker", tmp_path, printed.folder, "--images", 8)
    assert (tmp_path / "checker.onnx").is_file()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """A checker of the nano that ships."""
    path = tmp_path_factory.mktemp("trained") / "checker.onnx"
    logits = onnx.load(PRETRAINED / "nano-int8" / "logits.onnx")
    write_model(with_check(logits, Thresholds(0.5, 0.01)), path, {})
    return Checker(path)


def test_drawn_answers_are_right_and_confusable_ones_are_not(trained: Checker) -> None:
    pages = drawings()
    checks = [trained.check(page, label) for label, page in pages]
    assert sum(found.verdict == "right" for found in checks) >= 0.9 * len(pages)
    assert not [found for found in checks if found.verdict == "wrong" and found.probability > 0.01]
    others = [(page, label[1] + label[0] + label[2]) for label, page in pages]
    verdicts = [trained.check(page, answer).verdict for page, answer in others]
    assert verdicts.count("wrong") >= 0.9 * len(pages)
    assert "right" not in verdicts


def test_what_is_read_is_as_probable_as_the_same_answer(trained: Checker) -> None:
    for label, page in drawings()[::4]:
        found = trained.check(page, label)
        if found.value == int(label):
            assert found.probability == pytest.approx(found.reading_probability, rel=1e-6)
        else:
            assert found.probability + found.reading_probability <= 1.000001
