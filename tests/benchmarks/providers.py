"""Which operators of a graph the execution providers of phones take, as onnxruntime lists them."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnxruntime.tools.mobile_helpers import usability_checker as lists
from onnxruntime.tools.onnx_model_utils import ModelProtoWithShapeInfo, optimize_model

# onnxruntime.ai/docs/execution-providers/Xnnpack-ExecutionProvider.html; the wheel has no list.
XNNPACK = {
    *("AveragePool", "Conv", "ConvTranspose", "Gemm", "MatMul", "MaxPool", "Resize", "Softmax"),
    *("QLinearAveragePool", "QLinearConv", "QLinearSoftmax"),
}
_CHECKS: dict[str, Callable[[onnx.ModelProto], lists.PartitioningInfo]] = {
    "NNAPI": lambda model: lists.check_nnapi_partitions(model, True),
    "CoreML, neural network": lambda model: lists.check_coreml_partitions(
        model, True, "coreml_supported_neuralnetwork_ops.md"
    ),
    "CoreML, ML program": lambda model: lists.check_coreml_partitions(
        model, True, "coreml_supported_mlprogram_ops.md"
    ),
}


def coverage(files: list[Path]) -> str:
    """Return a Markdown table: how many operators each takes, in how many parts, and which not."""
    lines = [
        "| file | provider | operators taken | in parts of | not taken |",
        "| --- | --- | ---: | --- | --- |",
    ]
    for path in files:
        model, file = as_a_phone_sees_it(path), f"{path.parent.name}/{path.name}"
        for name, check in _CHECKS.items():
            found = check(model)
            sizes = sorted((len(group) for group in found.supported_groups), reverse=True)
            parts = ", ".join(map(str, sizes[:4])) + (" ..." if len(sizes) > 4 else "")
            missing = ", ".join(sorted(op.partition(":")[2] for op in found.unsupported_ops))
            taken = f"{found.num_supported_nodes} of {found.num_nodes}"
            lines.append(f"| {file} | {name} | {taken} | {parts} | {missing} |")
        nodes = [node.op_type for node in model.graph.node]
        taken = f"{sum(node in XNNPACK for node in nodes)} of {len(nodes)}"
        kinds = ", ".join(sorted(set(nodes) & XNNPACK))
        lines.append(f"| {file} | XNNPACK | {taken} | - | all but {kinds} |")
    return "\n".join(lines)


def as_a_phone_sees_it(path: Path) -> onnx.ModelProto:
    """The graph with batch 1, the optimizations that come first, and all shapes."""
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    with TemporaryDirectory() as folder:
        one, optimized = Path(folder) / "one.onnx", Path(folder) / "optimized.onnx"
        onnx.save(model, one)
        optimize_model(one, optimized)
        return ModelProtoWithShapeInfo(optimized).model_with_shape_info
