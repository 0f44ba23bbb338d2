"""Eight-bit versions of exported files: static QDQ for convolutions, dynamic for LSTMs."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from shards.errors import UserError
from shards.reader import DataSet
from trainer.check_export import to_checker
from trainer.compact import compact
from trainer.facts import read_card, refuse_quantized, write_json
from trainer.files import INT8_CARD, INT8_CHECKER, INT8_LOGITS, INT8_READER, LOGITS
from trainer.graph import opsets, strip, with_decoder, write_model
from trainer.half import with_half_weights
from trainer.metrics import Evaluation, evaluate
from trainer.predict import by_onnx, chunks, read_split
from trainer.recurrent import has_lstm, in_float

_CALIBRATION_IMAGES = 512


@dataclass(frozen=True)
class Report:
    """What quantization cost: bytes of logits.onnx, and what is read of the same test numbers.

    `after` is of the worse one of logits.int8.onnx and reader.int8.onnx.
    """

    bytes_before: int
    bytes_after: int
    before: Evaluation
    after: Evaluation


def quantize(folder: Path, data: DataSet, max_drop: float = 0.005, images: int = 3_000) -> Report:
    """Write the logits, reader and checker beside those that `trainer export` wrote, in 8 bits.

    Ranges come from 512 images of the val split, accuracy from up to `images` of test. The last
    layer computes in float32, and with it the temperature that export has put into it. Raises
    UserError, and leaves no 8-bit file, when accuracy drops by more than `max_drop`.
    """
    source = folder / LOGITS
    refuse_quantized(read_card(source), folder)
    before = evaluate(*read_split(by_onnx(source), data, "test", images))
    with tempfile.TemporaryDirectory(dir=folder) as work:
        with _quiet():
            model = compact(quantized(source, data, Path(work)))
        graphs = compact(in_float(model)), with_decoder(model)
        drafts = [Path(work) / name for name in (INT8_LOGITS, INT8_READER)]
        for graph, draft in zip(graphs, drafts, strict=True):
            write_model(graph, draft, {})
        found = [evaluate(*read_split(by_onnx(draft), data, "test", images)) for draft in drafts]
        sizes = source.stat().st_size, drafts[0].stat().st_size
    after = min(found, key=lambda evaluation: evaluation.exact.share)
    was, now = before.exact.share, after.exact.share
    if not was - now <= max_drop:  # nor for a limit that is NaN
        raise UserError(
            f"quantization lowers accuracy from {was:.4f} to {now:.4f}, by more than {max_drop}; "
            "nothing was written; train longer, or quantize with a higher --max-drop"
        )
    checker, answering = to_checker(model, data)
    card = read_card(source) | {
        "accuracy": f"{now:.4f}",
        "accuracy_images": str(after.exact.count),
        "quantization": "activations uint8, weights int8 per channel",
        "opset": opsets(*graphs),
        **answering,
    }
    names = (INT8_LOGITS, INT8_READER, INT8_CHECKER)
    for graph, name in zip((*graphs, checker), names, strict=True):
        write_model(graph, folder / name, card)
    write_json(card, folder / INT8_CARD)
    return Report(*sizes, before, after)


def quantized(source: Path, data: DataSet, work: Path) -> ModelProto:
    """Quantize the logits file `source`; `work` is a folder for what lies in between.

    LSTMs become DynamicQuantizeLSTM, which is for a batch of 1 (see `trainer.recurrent`). The
    head, whose weights are stored in 16 bits, and the ink mask compute in float32, so that a masked
    digit stays impossible; and so does nano's first convolution, which is faster so.
    """
    folded, dynamic, static = (work / f"{name}.onnx" for name in ("folded", "dynamic", "static"))
    quant_pre_process(source, folded, skip_symbolic_shape=True)
    crnn = has_lstm(onnx.load(folded))
    if crnn:
        # Dynamic first: the other order gives a file that onnxruntime-web does not load.
        quantize_dynamic(
            folded, dynamic, op_types_to_quantize=["LSTM"], weight_type=QuantType.QInt8
        )
        folded = dynamic
    graph = onnx.load(folded).graph
    eight_bit = nodes_before_head(graph) - _strided_first(graph)
    quantize_static(
        folded,
        static,
        _Calibration(data),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,  # U8S8: on x86 2.5 times faster than S8S8
        weight_type=QuantType.QInt8,
        per_channel=True,
        # x86 without VNNI adds pairs of products in 16 bits: with weights of 8 instead of 7 bits
        # their wide sums saturate, and optimized reads 0.9530 instead of 0.9623. Nano's do not.
        reduce_range=crnn,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Relu", "Add", "MaxPool", "MatMul"],
        nodes_to_exclude=[node.name for node in graph.node if node.name not in eight_bit],
    )
    model = strip(onnx.load(static))
    return with_half_weights(model, find_head(model.graph).input)


def nodes_before_head(graph: GraphProto) -> set[str]:
    """Name the nodes that lead to the last matrix product, which makes the logits."""
    producers = {output: node for node in graph.node for output in node.output}
    found: set[str] = set()
    waiting = list(find_head(graph).input)
    while waiting:
        node = producers.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting.extend(node.input)
    return found


def _strided_first(graph: GraphProto) -> set[str]:
    """Name the convolution that looks at the image in steps, and its ReLU, if there is one.

    Of a single channel 8 bits make no dot products of four, and onnxruntime takes twice the time
    of float32. Where it does not stride, what it puts out is larger, and costs more to quantize.
    """
    image = graph.input[0].name
    convs = {
        node.output[0]: node.name
        for node in graph.node
        if node.op_type == "Conv" and image in node.input and max(_strides(node)) > 1
    }
    relus = {n.name for n in graph.node if n.op_type == "Relu" and n.input[0] in convs}
    return relus | set(convs.values())


def _strides(conv: NodeProto) -> list[int]:
    return [side for a in conv.attribute if a.name == "strides" for side in a.ints] or [1]


def find_head(graph: GraphProto) -> NodeProto:
    """Return the last matrix product, which makes the logits."""
    return next(node for node in reversed(graph.node) if node.op_type in ("MatMul", "Gemm"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the quantizer's hints on the root logger: they ask for steps taken here."""
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger().setLevel(level)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, data: DataSet) -> None:
        self._batches = self._read(data)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)

    @staticmethod
    def _read(data: DataSet) -> Iterator[dict[str, np.ndarray]]:
        for chunk in chunks(data, "val", _CALIBRATION_IMAGES, 64):
            images, _ = data.gather("val", chunk)
            yield {"image": images[:, None].astype(np.float32) / np.float32(255)}
