"""What `fuzz` feeds to the readers of checkpoints and of ONNX files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from shards.manifest import MANIFEST, read_manifest
from tests.faults.damage import STRANGE_JSON, Parser, damaged
from tests.faults.sets import write_set
from trainer.check_graph import Thresholds, with_check
from trainer.checkpoint import LAST, load_reader
from trainer.config import Config
from trainer.read import DEFAULT
from trainer.runtime import ask, open_session, run
from trainer.state import State

CPU = torch.device("cpu")
IMAGES = np.zeros((2, 32, 128), np.uint8)
IMAGES[1, 4:28, 100:104] = 255
EXPECTED = np.array([[1, -1, -1, -1, -1], [4, 0, 7, 7, 0]], np.int8)

NUMBERS = st.sampled_from([-(2**63), -(2**31), -1, 0, 1, 2, 3, 7, 64, 128, 2**20, 2**31, 2**62])
_NAMES = """
ArgMax Cast Concat Conv ConvInteger CumSum DequantizeLinear DynamicQuantizeLinear Expand Flatten
Gather Gemm LSTM MatMul MatMulInteger Max MaxPool Mul Pad QuantizeLinear Reshape Shape Slice Softmax
Squeeze Transpose Unsqueeze Where
"""
OPERATORS = _NAMES.split()


def checkpoints(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    write_set(folder / "set", 1, 2)
    path = folder / LAST
    state = State(Config("nano"), CPU)
    for parameter in state.model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    state.optimizer.step(1e-3, torch.tensor(False))
    state.save(path, read_manifest(folder / "set" / MANIFEST))
    sound = path.read_bytes()
    length = int.from_bytes(sound[:8], "little")

    @st.composite
    def replaced(draw: st.DrawFn) -> bytes:
        """Put something strange in the place of a value in either header."""
        header = json.loads(sound[8 : 8 + length])
        holder = header
        ours = json.loads(header["__metadata__"]["header"])
        if draw(st.booleans()):
            holder = ours
        place: Any = draw(st.sampled_from(sorted(holder)))
        while isinstance(holder[place], (dict, list)) and holder[place] and draw(st.booleans()):
            holder = holder[place]
            keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
            place = draw(st.sampled_from(keys))
        holder[place] = draw(STRANGE_JSON | NUMBERS)
        if isinstance(header.get("__metadata__"), dict):
            header["__metadata__"]["header"] = json.dumps(ours)
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + sound[8 + length :]

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        load_reader(path, CPU)
        State.load(path, CPU)

    spots = list(range(8 + length))
    return parse, st.one_of(replaced(), replaced(), damaged(sound, spots=spots))


def recurrent() -> onnx.ModelProto:
    """A reader of an LSTM with random weights, too small to read anything."""
    random = np.random.default_rng(0)
    arrays = {
        "shape": np.array([32, 1, 128]),
        "w": random.normal(size=(1, 16, 128)).astype(np.float32),
        "r": random.normal(size=(1, 16, 4)).astype(np.float32),
        "flat": np.array([1, 128]),
        "m": np.zeros((128, 13), np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["image", "shape"], ["columns"]),
        helper.make_node("LSTM", ["columns", "w", "r"], ["steps"], hidden_size=4),
        helper.make_node("Reshape", ["steps", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "m"], ["reading"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 32, 128])
    reading = helper.make_tensor_value_info("reading", TensorProto.FLOAT, [1, 13])
    weights = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "tiny", [image], [reading], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def models(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    path = folder / "reader.onnx"
    bases = [DEFAULT.read_bytes(), DEFAULT.with_name("logits.onnx").read_bytes()]
    checker = with_check(onnx.load_from_string(bases[1]), Thresholds(0.5, 0.01))
    bases += [recurrent().SerializeToString(), checker.SerializeToString()]

    @st.composite
    def edited(draw: st.DrawFn) -> bytes:
        """Change what is in the graph, which stays one that protobuf reads."""
        model = onnx.load_from_string(draw(st.sampled_from(bases)))
        for _ in range(draw(st.integers(1, 3))):
            _edit(model.graph, draw)
        return model.SerializeToString()

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        session = open_session(path, ("logits", "reading", "answer"))
        if session.get_outputs()[0].name == "answer":
            ask(session, IMAGES, EXPECTED)
        else:
            run(session, IMAGES)

    return parse, st.one_of(edited(), edited(), edited(), damaged(*bases))


def _edit(graph: onnx.GraphProto, draw: st.DrawFn) -> None:
    kind = draw(st.sampled_from(["node", "input", "attribute", "weights", "shape", "order"]))
    node = graph.node[draw(st.integers(0, len(graph.node) - 1))]
    tensor = graph.initializer[draw(st.integers(0, len(graph.initializer) - 1))]
    if kind == "node":
        node.op_type = draw(st.sampled_from(OPERATORS))
    elif kind == "input" and node.input:
        names = [tensor.name, "image", "", *(name for n in graph.node for name in n.output)]
        node.input[draw(st.integers(0, len(node.input) - 1))] = draw(st.sampled_from(names))
    elif kind == "attribute" and node.attribute:
        attribute = draw(st.sampled_from(list(node.attribute)))
        attribute.i = draw(NUMBERS)
        if attribute.ints:
            attribute.ints[draw(st.integers(0, len(attribute.ints) - 1))] = draw(NUMBERS)
    elif kind == "weights":
        _edit_tensor(tensor, draw)
    elif kind == "shape":
        value = draw(st.sampled_from([*graph.input, *graph.output]))
        dims = value.type.tensor_type.shape.dim
        dims[draw(st.integers(0, len(dims) - 1))].dim_value = draw(NUMBERS)
    elif kind == "order":
        graph.node.append(node)
        if draw(st.booleans()):
            graph.node.remove(node)


def _edit_tensor(tensor: TensorProto, draw: st.DrawFn) -> None:
    if draw(st.booleans()) and tensor.dims:
        tensor.dims[draw(st.integers(0, len(tensor.dims) - 1))] = draw(NUMBERS)
    elif draw(st.booleans()):
        tensor.data_type = draw(st.integers(0, 23))
    else:
        data = bytearray(tensor.raw_data)
        if tensor.data_type == TensorProto.INT64 and len(data) >= 8:
            at = draw(st.integers(0, len(data) // 8 - 1)) * 8
            data[at : at + 8] = draw(NUMBERS).to_bytes(8, "little", signed=True)
        else:
            data[:64] = draw(st.binary(max_size=64))
        tensor.raw_data = bytes(data)
