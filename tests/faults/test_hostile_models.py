"""ONNX files of strangers: no other file is read, and nothing runs that is no reader's."""

import ast
import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shards.errors import UserError
from tests.faults.pickles import Bomb
from trainer.runtime import ask, open_session, run

ROOT = Path(__file__).parents[2]


def tiny_reader() -> onnx.ModelProto:
    """A reader that multiplies the pixels by weights, which are in the file."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 32, 128])
    reading = helper.make_tensor_value_info("reading", TensorProto.FLOAT, [1, 13])
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["reading"]),
    ]
    weights = numpy_helper.from_array(np.full((4096, 13), 1 / 4096, np.float32), "w")
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


def call(model: onnx.ModelProto, operator: str, times: int = 1) -> None:
    node = helper.make_node(operator, [], ["unused"])
    model.graph.node.extend([node] * times)


def library(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Run", [], ["unused"], domain="evil.so"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            (lambda model, to=to: outside(model.graph.initializer[0], to), "keeps the weights 'w'")
            for to in ("/dev/zero", "/etc/passwd", "../secret.bin", "a/../../x", "weights.bin", "")
        ),
        (in_a_node, "keeps the weights 'hidden' in another file"),
        (branch, r"has a graph within the operator 'If' \(branch\)"),
        (library, "calls 'Run' of 'evil.so'"),
        (lambda model: call(model, "Loop"), "calls 'Loop' of 'ai.onnx'"),
        (lambda model: call(model, "ATen"), "calls 'ATen' of 'ai.onnx'"),
        (lambda model: call(model, "Relu", 2_001), "has 2,003 operators, over 2,000"),
        (lambda model: call(model, "Relu", 300_000), "has over 1,048,576 bytes besides"),
        (lambda model: model.training_info.add(), "holds training steps"),
        (lambda model: model.graph.sparse_initializer.add(), "holds training steps or sparse"),
        (
            lambda model: model.graph.node[0].attribute.add(name="x", type=11),
            "has a strange attribute 'x' of the operator 'Flatten'",
        ),
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
    assert run(open_session(path), np.full((1, 32, 128), 255, np.uint8))[0].tolist() == [1] * 13
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=rf"reader\.onnx {message}.*it is not opened"):
        open_session(path)


def test_graphs_that_would_fill_the_memory(tmp_path: Path) -> None:
    """40 GB, from numbers in the file that cannot be told from those of a reader."""
    path, model = tmp_path / "reader.onnx", tiny_reader()
    model.graph.initializer.append(numpy_helper.from_array(np.array([10**10, 13]), "size"))
    model.graph.node[1].output[0] = "small"
    axis = numpy_helper.from_array(np.array([0]), "axis")
    model.graph.initializer.append(axis)
    model.graph.node.append(helper.make_node("Expand", ["small", "size"], ["large"]))
    model.graph.node.append(helper.make_node("ReduceMax", ["large", "axis"], ["reading"]))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="the graph of the ONNX file cannot be computed"):
        run(open_session(path), np.zeros((1, 32, 128), np.uint8))


@pytest.mark.parametrize("value", [np.nan, np.inf, -2, 0.5, 1e5, 12])
def test_readings_that_are_none(tmp_path: Path, value: float) -> None:
    path, model = tmp_path / "reader.onnx", tiny_reader()
    weights = numpy_helper.from_array(np.full((4096, 13), value / 4096, np.float32), "w")
    model.graph.initializer[0].CopyFrom(weights)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="the ONNX file puts out what is no reading"):
        run(open_session(path), np.full((1, 32, 128), 255, np.uint8))


def tiny_checker(answer: list[float]) -> onnx.ModelProto:
    """A checker that answers so whatever it is asked."""
    model = tiny_reader()
    for name, size in (("expected", 5), ("answer", 4)):
        value = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        (model.graph.input if size == 5 else model.graph.output).append(value)
    del model.graph.output[0]
    del model.graph.node[:]
    first, end = (numpy_helper.from_array(np.array([n]), name) for n, name in ((0, "a"), (4, "b")))
    constant = numpy_helper.from_array(np.array([answer], np.float32), "always")
    del model.graph.initializer[:]
    model.graph.initializer.extend([first, end, constant])
    model.graph.node.extend(
        [
            helper.make_node("Slice", ["expected", "a", "b", "one"], ["four"]),
            helper.make_node("Sub", ["four", "four"], ["nothing"]),
            helper.make_node("Add", ["nothing", "always"], ["answer"]),
        ]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    return model


@pytest.mark.parametrize(
    "answer",
    [
        *([verdict, 0.5, 0.5, 7] for verdict in (np.nan, 2, -2, 0.5)),
        *([1, chance, 0.5, 7] for chance in (np.nan, -0.5, 1.5)),
        *([1, 0.5, chance, 7] for chance in (np.nan, -1, 1.5)),
        *([1, 0.5, 0.5, value] for value in (np.nan, -2, 0.5, 100_000)),
    ],
)
def test_answers_that_are_none(tmp_path: Path, answer: list[float]) -> None:
    path, image = tmp_path / "checker.onnx", np.zeros((1, 32, 128), np.uint8)
    expected = np.array([[7, -1, -1, -1, -1]], np.int8)
    path.write_bytes(tiny_checker([1, 0.5, 0.5, 7]).SerializeToString())
    assert ask(open_session(path, ("answer",)), image, expected).tolist() == [[1, 0.5, 0.5, 7]]
    path.write_bytes(tiny_checker(answer).SerializeToString())
    with pytest.raises(UserError, match="the ONNX file puts out what is no answer"):
        ask(open_session(path, ("answer",)), image, expected)


@pytest.mark.parametrize(
    ("shape", "out"), [([1, 1, 32, 64], [1, 13]), ([1, 1, 32, 128], [1, 12]), ([32, 128], [1, 13])]
)
def test_shapes_that_are_not_a_readers(tmp_path: Path, shape: list, out: list) -> None:
    path, model = tmp_path / "reader.onnx", tiny_reader()
    for value, dims in ((model.graph.input[0], shape), (model.graph.output[0], out)):
        value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, dims))
    weights = numpy_helper.from_array(np.zeros((int(np.prod(shape)), out[1]), np.float32), "w")
    model.graph.initializer[0].CopyFrom(weights)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=r"reader\.onnx (maps image|is no ONNX file)"):
        open_session(path)


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps(Bomb()), bytes(1000)])
def test_what_is_no_onnx_file(tmp_path: Path, data: bytes, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.onnx").write_bytes(data)
    with pytest.raises(UserError, match=r"x\.onnx is no ONNX file"):
        open_session(tmp_path / "x.onnx")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("size", [300_000_000, 10 << 30])
def test_an_onnx_file_too_large_to_be_a_reader(tmp_path: Path, size: int) -> None:
    with (tmp_path / "x.onnx").open("wb") as file:
        file.truncate(size)  # which takes no space
    with pytest.raises(UserError, match=f"has {size:,} bytes, over 67,108,864"):
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
