"""Weights in 16 bits: half the file, the same arithmetic."""

from collections.abc import Container

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

_LEAST = 64  # numbers in a tensor that is worth an operator


def with_half_weights(model: ModelProto, names: Container[str] | None = None) -> ModelProto:
    """Copy a graph with its weights, or those of these names, as float16 behind Cast to float32.

    Inputs, outputs and all that is computed stay float32; a runtime that folds constants casts
    once, as it opens the file. Tensors of under 64 numbers, and those with a number beyond
    float16's 65,504, stay as they are.
    """
    result = ModelProto()
    result.CopyFrom(model)
    casts = []
    for tensor in result.graph.initializer:
        if names is not None and tensor.name not in names:
            continue
        weights = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and weights.size >= _LEAST:
            if np.abs(weights).max() > np.finfo(np.float16).max:
                continue
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = list(result.graph.node)
    del result.graph.node[:]
    result.graph.node.extend([*casts, *nodes])
    return result
