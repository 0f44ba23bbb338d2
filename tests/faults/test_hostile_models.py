"""Checkpoints and ONNX files of strangers: nothing is unpickled, and no other file is read."""

import ast
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import BEST, LAST, load_reader, read_header, read_tensors
from trainer.config import Config
from trainer.runtime import open_session, run
from trainer.state import State

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


class Bomb:
    def __reduce__(self) -> tuple:
        return os.system, ("touch exploded",)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    data = DataSet(write_data_set(folder / "set", {"train": 2}))
    State(Config("nano"), CPU).save(folder / LAST, data.manifest)
    return folder / LAST


@pytest.mark.parametrize("name", [BEST, "model.pth", "x.pkl"])
@pytest.mark.parametrize(
    "write",
    [
        lambda path: torch.save(Bomb(), path),
        lambda path: torch.save({"a": torch.zeros(3)}, path),
        lambda path: path.write_bytes(pickle.dumps(Bomb())),
        lambda path: path.write_bytes(pickle.dumps(Bomb(), protocol=5)),
    ],
)
def test_a_checkpoint_that_is_a_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Callable[[Path], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    write(path)
    for read in (read_header, lambda path: read_tensors(path, CPU), lambda p: load_reader(p, CPU)):
        with pytest.raises(UserError, match=rf"{name} is a pickle, which can run any code"):
            read(path)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_pickle_of_the_first_protocol_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / BEST
    path.write_bytes(pickle.dumps(Bomb(), protocol=0))
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_header(path)


def test_a_checkpoint_whose_first_bytes_are_those_of_a_pickle(checkpoint, tmp_path) -> None:
    """They are the length of its header, which may be any."""
    path, header = tmp_path / BEST, checkpoint.with_suffix(".json").read_text()
    tensors = read_tensors(checkpoint, CPU)

    def write(padding: int) -> bytes:
        path.write_bytes(save(tensors, metadata={"header": header, "padding": "x" * padding}))
        return path.read_bytes()[:8]

    length = int.from_bytes(write(0), "little")
    assert write(0x10280 - length) == bytes.fromhex("8002010000000000")
    assert read_header(path).model == "nano"
    assert set(read_tensors(path, CPU)) == set(tensors)


def rewrite(source: Path, path: Path, change: Callable[[dict], object]) -> Path:
    header = json.loads(source.with_suffix(".json").read_text())
    changed = change(header)
    text = json.dumps(changed if isinstance(changed, list) else header)
    path.write_bytes(save(read_tensors(source, CPU), metadata={"header": text}))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: ["a list"], "header is not an object"),
        (lambda header: header.update(epoch="1"), "header: epoch is not a whole number"),
        (lambda header: header.update(config=[]), "header: config is not an object"),
        (lambda header: header.update(model=["nano"]), "header: model is not a string"),
        (lambda header: header.update(code="import os"), "has an unknown field 'code'"),
        (lambda header: header.pop("best"), "lacks the field 'best'"),
    ],
)
def test_headers_that_say_what_cannot_be(checkpoint, tmp_path, change, message: str) -> None:
    path = rewrite(checkpoint, tmp_path / "x.safetensors", change)
    with pytest.raises(UserError, match=message):
        read_header(path)


@pytest.mark.parametrize("keep", ["random", "optimizer.0.exp_avg", None])
def test_a_run_that_lacks_what_it_needs_to_go_on(checkpoint, tmp_path, keep) -> None:
    tensors = read_tensors(checkpoint, CPU)
    if keep is None:
        tensors["optimizer.999.step"] = torch.zeros(())
    else:
        tensors.pop(keep, None)
        tensors["optimizer.0"] = torch.zeros(3)
    path = tmp_path / "x.safetensors"
    path.write_bytes(
        save(tensors, metadata={"header": checkpoint.with_suffix(".json").read_text()})
    )
    with pytest.raises(UserError, match="lacks what a run needs to go on"):
        State.load(path, CPU)


@pytest.mark.parametrize("size", [0, 7, 8, 100, 5000, 500_000])
def test_a_truncated_checkpoint(checkpoint: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(checkpoint.read_bytes()[:size])
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_header(path)
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_tensors(path, CPU)


def tiny_reader() -> onnx.ModelProto:
    """A reader that multiplies the pixels by weights, which are in the file."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 32, 128])
    reading = helper.make_tensor_value_info("reading", TensorProto.FLOAT, [1, 13])
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["reading"]),
    ]
    weights = numpy_helper.from_array(np.ones((4096, 13), np.float32), "w")
    graph = helper.make_graph(nodes, "tiny", [image], [reading], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def outside(tensor: TensorProto, location: str = "../secret.bin") -> None:
    size = len(numpy_helper.to_array(tensor).tobytes())
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(size))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def in_a_node(model: onnx.ModelProto) -> None:
    value = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    node = helper.make_node("Constant", [], ["unused"], "hidden", value=value)
    outside(node.attribute[0].t)
    model.graph.node.append(node)


def branch(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    node = helper.make_node("If", ["c"], ["unused"], "branch", then_branch=body, else_branch=body)
    model.graph.node.append(node)


def library(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Run", [], ["unused"], domain="evil.so"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: outside(model.graph.initializer[0]), "keeps the weights '.+' in another"),
        (
            lambda model: outside(model.graph.initializer[0], "/dev/zero"),
            "keeps the weights 'w' in",
        ),
        (in_a_node, "keeps the weights 'hidden' in another file"),
        (branch, r"has a graph within the operator 'If' \(branch\)"),
        (library, "calls 'Run' of 'evil.so'"),
        (
            lambda model: model.functions.append(
                helper.make_function("d", "f", [], [], [], [helper.make_opsetid("", 18)])
            ),
            "defines the function 'f'",
        ),
    ],
)
def test_onnx_files_that_hold_more_than_a_reader(tmp_path: Path, change, message: str) -> None:
    path, model = tmp_path / "reader.onnx", tiny_reader()
    path.write_bytes(model.SerializeToString())
    assert run(open_session(path), np.full((1, 32, 128), 255, np.uint8))[0, 0] == 4096
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=rf"reader\.onnx {message}.*it is not opened"):
        open_session(path)


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps(Bomb()), bytes(1000)])
def test_what_is_no_onnx_file(tmp_path: Path, data: bytes, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.onnx").write_bytes(data)
    with pytest.raises(UserError, match=r"x\.onnx is no ONNX file"):
        open_session(tmp_path / "x.onnx")
    assert len(list(tmp_path.iterdir())) == 1


def test_an_onnx_file_too_large_to_be_a_reader(tmp_path: Path) -> None:
    with (tmp_path / "x.onnx").open("wb") as file:
        file.truncate(10 << 30)  # which takes no space
    with pytest.raises(UserError, match="has 10,737,418,240 bytes, over 268,435,456"):
        open_session(tmp_path / "x.onnx")


FORBIDDEN_MODULES = {"pickle", "shelve", "marshal", "dill", "joblib", "tarfile", "zipfile"}
FORBIDDEN_CALLS = {"torch.load", "eval", "exec"}


@pytest.mark.parametrize("package", ["generator", "shards", "trainer"])
def test_no_code_of_ours_unpickles_or_extracts(package: str) -> None:
    """Of tarfile, `shards.layout` takes headers to write."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                names = {name.name.split(".")[0] for name in node.names}
                assert not names & FORBIDDEN_MODULES or path.name == "layout.py", where
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES, where
            elif isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in FORBIDDEN_CALLS, where
                assert name.rpartition(".")[2] not in {"extractall", "extract"}, where
                if name.endswith("np.load"):
                    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                    assert given.get("allow_pickle") == "False", where
