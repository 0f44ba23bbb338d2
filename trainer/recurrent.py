"""Quantized LSTMs whose answers do not depend on what else is in the batch.

DynamicQuantizeLSTM (com.microsoft) is fast, but takes the range of its inputs over the whole batch
and so belongs in a graph of batch 1. For any batch, the same 8-bit weights go through
DequantizeLinear into the standard LSTM, which computes in float32.
"""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

_DYNAMIC = "DynamicQuantizeLSTM"


def has_lstm(model: ModelProto) -> bool:
    """Whether the graph has an LSTM that could be quantized."""
    return any(node.op_type == "LSTM" for node in model.graph.node)


def in_float(model: ModelProto) -> ModelProto:
    """Copy the graph with each DynamicQuantizeLSTM as an LSTM behind DequantizeLinear."""
    result = ModelProto()
    result.CopyFrom(model)
    constants = {tensor.name: tensor for tensor in result.graph.initializer}
    nodes = list(result.graph.node)
    del result.graph.node[:]
    for node in nodes:
        result.graph.node.extend(_standard(node, constants) if node.op_type == _DYNAMIC else [node])
    return result


def _standard(node: NodeProto, constants: dict[str, TensorProto]) -> list[NodeProto]:
    """Split an LSTM into the dequantization of its two weights, one scale a direction, and it."""
    inputs = list(node.input)
    parts = []
    for place, scale in ((1, inputs[8]), (2, inputs[10])):
        # (directions, inputs, 4 hidden) here, (directions, 4 hidden, inputs) in the standard LSTM.
        weights = constants[inputs[place]]
        turned = np.ascontiguousarray(numpy_helper.to_array(weights).swapaxes(1, 2))
        weights.CopyFrom(numpy_helper.from_array(turned, weights.name))
        name = f"{weights.name}_float"
        parts.append(helper.make_node("DequantizeLinear", [weights.name, scale], [name], axis=0))
        inputs[place] = name
    lstm = helper.make_node("LSTM", inputs[:8], node.output)
    lstm.attribute.extend(node.attribute)
    return [*parts, lstm]
