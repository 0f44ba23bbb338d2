"""Readers for phones: .ort files, the operators of a minimal build, weights in 16 bits."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper
from typer.testing import CliRunner

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.bare import bare_network
from tests.trainer.conftest import write_data_set
from trainer.check_graph import Thresholds, with_check
from trainer.cli import app
from trainer.facts import read_card
from trainer.graph import write_model
from trainer.half import with_half_weights
from trainer.mobile import to_mobile
from trainer.predict import by_onnx
from trainer.runtime import to_input
from trainer.shipped import FOLDER as PRETRAINED


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    folder = tmp_path_factory.mktemp("data") / "printed"
    data = DataSet(write_data_set(folder, {"test": 40, "val": 2, "train": 2}))
    return data.gather("test", np.arange(40))[0]


@pytest.mark.parametrize("name", ["nano-int8", "nano-fp32", "optimized-int8"])
def test_ort_files_read_the_same_numbers(name: str, images: np.ndarray, tmp_path: Path) -> None:
    made = to_mobile(PRETRAINED / name, tmp_path)
    assert tmp_path / "reader.ort" in made
    session = onnxruntime.InferenceSession(tmp_path / "reader.ort")
    found = [session.run(None, {"image": image[None]})[0][0] for image in to_input(images)]
    wanted = by_onnx(PRETRAINED / name / "reader.onnx")(images)
    assert np.array_equal(np.array(found)[:, 3:8], wanted.digits)
    assert np.array_equal(np.array(found)[:, 2], wanted.count)
    assert len(set(wanted.count.tolist())) > 3


def test_the_operators_of_all_files_are_listed(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    shutil.copy(PRETRAINED / "nano-int8" / "reader.onnx", folder)
    write_model(with_check(bare_network(64), Thresholds(0.5, 0.01)), folder / "checker.onnx", {})
    to_mobile(folder, out)
    text = (out / "required_operators_and_types.config").read_text()
    assert text.startswith("# Generated from model/s:\n# - checker.ort\n# - reader.ort\n")
    assert "QLinearConv" in text  # of the reader
    assert "MatMul" in text  # of the checker
    assert "ai.onnx;12;MaxPool" in text
    assert {path.name for path in out.iterdir()} == {
        "checker.fp16.onnx",
        "checker.ort",
        "reader.ort",
        "required_operators_and_types.config",
    }


def test_weights_of_16_bits_halve_the_file_and_read_the_same(
    images: np.ndarray, tmp_path: Path
) -> None:
    source = PRETRAINED / "nano-fp32" / "reader.onnx"
    to_mobile(source.parent, tmp_path)
    half = tmp_path / "reader.fp16.onnx"
    assert half.stat().st_size < 0.55 * source.stat().st_size
    assert read_card(half) == read_card(source) | {"precision": "weights float16"}
    graph = onnx.load(half).graph
    assert [v.type.tensor_type.elem_type for v in (*graph.input, *graph.output)] == [1, 1]
    wanted, found = by_onnx(source)(images), by_onnx(half)(images)
    assert np.array_equal(found.digits, wanted.digits)
    np.testing.assert_allclose(found.confidence, wanted.confidence, atol=0.02)


def test_what_16_bits_cannot_hold_stays(tmp_path: Path) -> None:
    weights = {"good": np.full(64, 1.5), "large": np.full(64, 70_000), "few": np.ones(63)}
    tensors = [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()]
    graph = onnx.helper.make_graph([], "g", [], [], tensors)
    result = with_half_weights(onnx.helper.make_model(graph)).graph
    kinds = {tensor.name: tensor.data_type for tensor in result.initializer}
    wanted = {
        "good_half": TensorProto.FLOAT16,
        "large": TensorProto.FLOAT,
        "few": TensorProto.FLOAT,
    }
    assert kinds == wanted
    assert [(node.op_type, *node.input, *node.output) for node in result.node] == [
        ("Cast", "good_half", "good")
    ]
    assert [tensor.name for tensor in graph.initializer] == ["good", "large", "few"]


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["mobile", str(PRETRAINED / "nano-int8"), str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert f"written: {tmp_path / 'reader.ort'}, " in done.output
    assert "Converting" not in done.output
    with pytest.raises(UserError, match=r"has no reader.onnx or checker.onnx; make them with"):
        to_mobile(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
