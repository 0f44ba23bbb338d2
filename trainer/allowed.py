"""What an ONNX file of a stranger may hold, by an allow-list, before a runtime opens it.

A model can name other files as its weights, which onnxruntime then reads from anywhere below or
beside it; it can hold graphs within operators, which run as often as they like, and operators of
libraries. The exports of this trainer do none of it: what they are made of is listed here.
"""

from collections.abc import Iterator
from pathlib import Path

import onnx

from shards.errors import UserError

MAX_BYTES = 1 << 26  # the largest export, base in float32, has 33 MB
_MAX_STRUCTURE = 1 << 20  # bytes that are no weights, of which a parser makes 70 times as many
_MAX_NODES = 2_000
_WEIGHTS = (7, 5, 9)  # model, graph, initializer: where raw_data lies (onnx.proto)
_STANDARD = """
Add And ArgMax Cast Concat Constant Conv ConvInteger CumSum DequantizeLinear DynamicQuantizeLinear
Equal Expand Flatten Gather Gemm Greater Identity LSTM Less MatMul MatMulInteger Max MaxPool Min Mul
Not Or Pad QuantizeLinear ReduceMax ReduceProd ReduceSum Relu Reshape Shape Slice Softmax Squeeze
Sub Transpose Unsqueeze Where
"""
_OPERATORS = {
    **dict.fromkeys(("", "ai.onnx"), frozenset(_STANDARD.split())),
    "com.microsoft": frozenset(["DynamicQuantizeLSTM"]),
}
_TENSOR = (onnx.AttributeProto.TENSOR, onnx.AttributeProto.TENSORS)
_PLAIN = (
    *(onnx.AttributeProto.FLOAT, onnx.AttributeProto.INT, onnx.AttributeProto.STRING),
    *(onnx.AttributeProto.FLOATS, onnx.AttributeProto.INTS, onnx.AttributeProto.STRINGS),
)


def read_model(path: Path) -> tuple[bytes, onnx.ModelProto]:
    """Return the bytes of an ONNX file, and the graph in them, as far as an export may hold it.

    That is its own weights and the operators of the four networks, decoder and check. Raises
    UserError, naming the part, for external data, subgraphs, functions, other operators, a file
    of over 64 MiB, a graph of over 1 MiB or 2,000 operators, and what is no ONNX file.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it, like {path / 'reader.onnx'}")
    if not path.is_file():
        raise UserError(f"{path} does not exist; make it with trainer export")
    if path.stat().st_size > MAX_BYTES:
        raise UserError(
            f"{path} has {path.stat().st_size:,} bytes, over {MAX_BYTES:,}, which no reader needs: "
            "it is not opened; export it again"
        )
    data = path.read_bytes()
    try:
        structure = _bytes_besides(memoryview(data), _WEIGHTS)
        model = onnx.load_from_string(data) if structure <= _MAX_STRUCTURE else None
    except Exception as error:  # protobuf's, which onnx does not export
        raise UserError(f"{path} is no ONNX file; export it again") from error
    if model is None:
        fault = f"has over {_MAX_STRUCTURE:,} bytes besides its weights"
    else:
        fault = next(_faults(model), "")
    if model is None or fault:
        raise UserError(f"{path} {fault}, which no reader needs: it is not opened; export it again")
    return data, model


def _bytes_besides(message: memoryview, way: tuple[int, ...]) -> int:
    """Count the bytes of a protobuf message that are not in the fields to which `way` leads.

    Stops counting beyond `_MAX_STRUCTURE`. Raises ValueError for what is no message.
    """
    found, at = 0, 0
    while at < len(message) and found <= _MAX_STRUCTURE:
        start = at
        tag, at = _varint(message, at)
        size = 0
        if tag & 7 == 0:
            _, at = _varint(message, at)
        elif tag & 7 == 2:
            size, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}.get(tag & 7, len(message))  # groups are not in use
        field, end = message[at : at + size], at + size
        if end > len(message):
            raise ValueError("a field goes on after the end")
        if tag == way[0] << 3 | 2:
            inner = _bytes_besides(field, way[1:]) if way[1:] else 0
            found += at - start + inner
        else:
            found += end - start
        at = end
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of over ten bytes")


def _faults(model: onnx.ModelProto) -> Iterator[str]:
    graph = model.graph
    for function in model.functions:
        yield f"defines the function {function.name!r}"
    if model.training_info or graph.sparse_initializer:
        yield "holds training steps or sparse weights"
    if len(graph.node) > _MAX_NODES:
        yield f"has {len(graph.node):,} operators, over {_MAX_NODES:,}"
    for node in graph.node:
        yield from _faults_of(node)
    for tensor in graph.initializer:
        if _is_outside(tensor):
            yield f"keeps the weights {tensor.name!r} in another file"


def _faults_of(node: onnx.NodeProto) -> Iterator[str]:
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs:
            yield f"has a graph within the operator {node.op_type!r} ({node.name})"
        if any(map(_is_outside, (attribute.t, *attribute.tensors))):
            yield f"keeps the weights {node.name!r} in another file"
        if attribute.type not in _PLAIN + _TENSOR:
            yield f"has a strange attribute {attribute.name!r} of the operator {node.op_type!r}"
    if node.op_type not in _OPERATORS.get(node.domain, ()):
        yield f"calls {node.op_type!r} of {node.domain or 'ai.onnx'!r}"


def _is_outside(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location or tensor.external_data)
