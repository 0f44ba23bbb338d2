"""What an ONNX file of a stranger may hold, by an allow-list, before a runtime opens it.

A model can name other files as its weights, which onnxruntime then reads from anywhere below or
beside it; it can hold graphs within operators, which run as often as they like, and operators of
libraries. The exports of this trainer do none of it.
"""

from collections.abc import Iterator
from pathlib import Path

import onnx

from shards.errors import UserError

_MAX_BYTES = 1 << 28
_DOMAINS = ("", "ai.onnx", "com.microsoft")


def read_model(path: Path) -> bytes:
    """Return the bytes of an ONNX file that holds its own weights and standard operators alone.

    Raises UserError, naming the part, for external data, subgraphs, functions, operators of
    other domains, a file of over 256 MiB and what is no ONNX file.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise UserError(f"{path} has {path.stat().st_size:,} bytes, over {_MAX_BYTES:,}")
    data = path.read_bytes()
    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf's, which onnx does not export
        raise UserError(f"{path} is no ONNX file; export it again") from error
    for fault in _faults(model):
        raise UserError(f"{path} {fault}, which no reader needs: it is not opened; export it again")
    return data


def _faults(model: onnx.ModelProto) -> Iterator[str]:
    for function in model.functions:
        yield f"defines the function {function.name!r}"
    if model.training_info or model.graph.sparse_initializer:
        yield "holds training steps or sparse weights"
    tensors = [(tensor.name, tensor) for tensor in model.graph.initializer]
    for node in model.graph.node:
        if node.domain not in _DOMAINS:
            yield f"calls {node.op_type!r} of {node.domain!r}"
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                yield f"has a graph within the operator {node.op_type!r} ({node.name})"
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                yield f"has sparse weights in the operator {node.op_type!r} ({node.name})"
            tensors += [(node.name, tensor) for tensor in (attribute.t, *attribute.tensors)]
    for name, tensor in tensors:
        if tensor.data_location or tensor.external_data:
            yield f"keeps the weights {name!r} in another file"
