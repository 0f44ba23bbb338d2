"""ONNX graphs: greedy CTC decoding as standard operators, and what is stamped on each file."""

from pathlib import Path

import onnx
from onnx import ModelProto, helper, parser

from shards.files import replacing

OPSET = 18

# Logits of an image that is none (a pixel is NaN or not in 0..1, but for rounding): all zeros, so
# that no digit is read. An 8-bit network would take NaN for some shade of grey.
_GATE = """
<ir_version: {ir}, opset_import: ["" : {opset}]>
gate (float[1, 1, 32, 128] image, float[1, {steps}, 11] logits)
  => (float sound, float[1, {steps}, 11] kept)
<float low = {{-0.01}}, float high = {{1.01}}, float nothing = {{0}}>
{{
  above = Greater (image, low)
  below = Less (image, high)
  inside = And (above, below)
  each = Cast <to = 1> (inside)
  sound = ReduceProd <keepdims = 0> (each)
  is_sound = Greater (sound, nothing)
  kept = Where (is_sound, logits, nothing)
}}
"""

# The text of trainer.ctc.greedy_decode for one image, without a loop. `order` numbers the digits
# from 1; a step belongs to digit k when k digits have begun by then and it is not blank.
_DECODER = """
<ir_version: {ir}, opset_import: ["" : {opset}]>
decoder (float[1, {steps}, 11] logits) => (float[1, 13] reading)
<
  float[1, 1] zero = {{0}}, float[1, 1] one = {{1}}, float[1, 1] five = {{5}},
  float[1, 1] none = {{-1}}, float[5, 1] order = {{1, 2, 3, 4, 5}},
  float[6, 5] powers = {{0, 0, 0, 0, 0,  1, 0, 0, 0, 0,  10, 1, 0, 0, 0,  100, 10, 1, 0, 0,
                        1000, 100, 10, 1, 0,  10000, 1000, 100, 10, 1}},
  int64[1] from = {{0}}, int64[1] to = {{-1}}, int64[1] last = {{1}},
  int64[1] classes = {{2}}, int64[2] wide = {{1, 5}}, int64[1] flat = {{1}}
>
{{
  softmax = Softmax <axis = 2> (logits)
  probability = ReduceMax <keepdims = 0> (softmax, classes)
  best_class = ArgMax <axis = 2, keepdims = 0> (logits)
  best = Cast <to = 1> (best_class)
  earlier = Slice (best, from, to, last)
  before = Concat <axis = 1> (zero, earlier)
  filled = Greater (best, zero)
  same = Equal (best, before)
  changed = Not (same)
  emits = And (filled, changed)
  emitted = Cast <to = 1> (emits)
  axis = Squeeze (last)
  position = CumSum (emitted, axis)
  count = ReduceSum <keepdims = 1> (emitted, flat)

  at = Equal (position, order)
  member = And (at, filled)
  class_at = Where (member, best, zero)
  class_column = ReduceMax <keepdims = 1> (class_at, flat)
  class_row = Reshape (class_column, wide)
  digits = Sub (class_row, one)
  probability_at = Where (member, probability, zero)
  confidence_column = ReduceMax <keepdims = 1> (probability_at, flat)
  confidences = Reshape (confidence_column, wide)

  absent = Less (digits, zero)
  counted = Where (absent, one, confidences)
  product = ReduceProd <keepdims = 1> (counted, flat)
  empty = Equal (count, zero)
  too_many = Greater (count, five)
  unreadable = Or (empty, too_many)
  confidence = Where (unreadable, zero, product)

  at_most_five = Min (count, five)
  row_float = Squeeze (at_most_five)
  row_number = Cast <to = 7> (row_float)
  weights = Gather <axis = 0> (powers, row_number)
  known = Max (digits, zero)
  parts = Mul (known, weights)
  number = ReduceSum <keepdims = 1> (parts, flat)
  value = Where (unreadable, none, number)
  reading = Concat <axis = 1> (value, confidence, count, digits, confidences)
}}
"""


def with_decoder(logits: ModelProto) -> ModelProto:
    """Turn a logits graph into a reader: batch 1, decoding inside.

    Its input is `image`, float32 [1, 1, 32, 128]; its only output `reading`, float32 [1, 13]:
    value (-1 unless 1 to 5 digits were read), confidence (their confidences multiplied; 0 where
    value is -1), count, 5 digits (-1 where absent) and their 5 confidences (0 where absent).
    An image with a pixel that is NaN or outside 0..1 reads as an empty one. Float or quantized
    graphs alike.
    """
    reader = decoded(logits)
    reading = helper.make_tensor_value_info("reading", onnx.TensorProto.FLOAT, [1, 13])
    reader.graph.output.append(reading)
    return strip(reader)


def decoded(logits: ModelProto) -> ModelProto:
    """Copy a logits graph with batch 1 and, instead of an output, what others attach to.

    That is `reading`, `read_softmax`, float32 [1, T, 11], and `gate_sound`, float32 (), 1 for an
    image whose pixels all lie in 0..1, else 0.
    """
    network = ModelProto()
    network.CopyFrom(logits)
    network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    steps = network.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    network.graph.ClearField("output")
    attach(network, _GATE, "gate_", {"image": "image", "logits": "logits"}, steps=steps)
    names = {"logits": "gate_kept", "reading": "reading"}
    attach(network, _DECODER, "read_", names, steps=steps)
    return network


def attach(
    model: ModelProto, text: str, prefix: str, names: dict[str, str], **values: object
) -> None:
    """Append the operators and constants of a graph written in ONNX's text format.

    `names` gives the tensors of `text` names in `model`, all others get `prefix`; `values` fill in
    the text's places, besides `ir` and `opset`.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    part = parser.parse_model(text.format(ir=model.ir_version, opset=opset, **values)).graph
    for tensor in part.initializer:
        tensor.name = names.get(tensor.name, prefix + tensor.name)
    for node in part.node:
        node.input[:] = [names.get(name, prefix + name) for name in node.input]
        node.output[:] = [names.get(name, prefix + name) for name in node.output]
    model.graph.initializer.extend(part.initializer)
    model.graph.node.extend(part.node)


def opsets(*models: ModelProto) -> str:
    """Name the sets of operators that graphs are made of, like "ai.onnx 18, com.microsoft 1"."""
    entries = {
        (entry.domain or "ai.onnx", entry.version) for m in models for entry in m.opset_import
    }
    return ", ".join(f"{domain} {version}" for domain, version in sorted(entries))


def strip(model: ModelProto) -> ModelProto:
    """Remove what only the exporter needed: up to 115 KB of names and stack traces."""
    model.ClearField("metadata_props")
    model.producer_name = model.producer_version = model.doc_string = ""
    graph = model.graph
    graph.ClearField("value_info")
    graph.ClearField("metadata_props")
    graph.doc_string = ""
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        item.ClearField("metadata_props")
        item.doc_string = ""
    return model


def write_model(model: ModelProto, path: Path, card: dict[str, str]) -> None:
    """Check the graph and write it, with `card` as its metadata, whole or not at all."""
    helper.set_model_props(model, card)
    onnx.checker.check_model(model, full_check=False)
    with replacing(path) as file:
        file.write(model.SerializeToString())
