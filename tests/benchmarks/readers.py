"""Reader files of random weights: what a network costs does not depend on what it has learnt."""

from pathlib import Path
from tempfile import TemporaryDirectory

from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from shards.reader import DataSet
from trainer.compact import compact
from trainer.export import to_onnx
from trainer.graph import with_decoder, write_model
from trainer.models import MODELS, build_seeded
from trainer.quantize import quantized
from trainer.recurrent import in_float


def make_readers(folder: Path, data: DataSet) -> None:
    """Write, for each model, NAME.onnx, NAME.int8.onnx and NAME.reader.int8.onnx into `folder`.

    The first two end in logits and take any batch; `data` needs a split `val` to calibrate on.
    Beside them `reference.onnx`, see `quantize_all`.
    """
    for name in MODELS:
        logits = folder / f"{name}.onnx"
        write_model(to_onnx(build_seeded(name, seed=0).eval()), logits, {})
        with TemporaryDirectory(dir=folder) as work:
            model = quantized(logits, data, Path(work))
        write_model(compact(in_float(model)), folder / f"{name}.int8.onnx", {})
        write_model(with_decoder(compact(model)), folder / f"{name}.reader.int8.onnx", {})
    quantize_all(folder / "optimized.onnx", folder / "reference.onnx")


def quantize_all(source: Path, target: Path) -> None:
    """Quantize dynamically whatever can be, as the reference does, in the fastest way there is.

    QUInt8, since onnxruntime computes ConvInteger with signed weights five times slower; and after
    quant_pre_process, without which the LSTM is skipped: 3.9 ms against 4.8.
    """
    with TemporaryDirectory(dir=target.parent) as work:
        prepared = Path(work) / "prepared.onnx"
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_dynamic(prepared, target, weight_type=QuantType.QUInt8)
