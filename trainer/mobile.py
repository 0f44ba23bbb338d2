"""Readers for a runtime that was built for them alone: .ort files and the operators they need."""

import contextlib
import io
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from onnxruntime.tools.convert_onnx_models_to_ort import (
    OptimizationStyle,
    convert_onnx_models_to_ort,
)

from shards.errors import UserError
from shards.files import replacement
from trainer.allowed import read_model
from trainer.facts import metadata
from trainer.files import CHECKER, INT8_CHECKER, INT8_READER, READER
from trainer.graph import write_model
from trainer.half import with_half_weights
from trainer.shipped import find_folder

OPERATORS = "required_operators_and_types.config"
_QUANTIZED = ("QuantizeLinear", "DynamicQuantizeLSTM")


def to_mobile(folder: Path, out: Path) -> list[Path]:
    """Write the readers and checkers of `folder` into `out` as phones want them; returns the files.

    NAME.ort is the graph in ONNX Runtime's own format, optimized for ARM, which a minimal build
    opens; required_operators_and_types.config lists what such a build must contain for all of them;
    NAME.fp16.onnx, of a float32 graph, has its weights in 16 bits. Raises UserError where there is
    no reader, and for files that hold more than one (see `trainer.allowed`).
    """
    folder = find_folder(folder)
    names = (READER, CHECKER, INT8_READER, INT8_CHECKER)
    sources = [folder / name for name in names if (folder / name).is_file()]
    if not sources:
        raise UserError(f"{folder} has no {READER} or {CHECKER}; make them with trainer export")
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for source in sources:
        model = read_model(source)[1]
        if not any(node.op_type in _QUANTIZED for node in model.graph.node):
            made.append(out / f"{source.stem}.fp16.onnx")
            card = metadata(model)
            write_model(with_half_weights(model), made[-1], card | {"precision": "weights float16"})
    return made + _convert(sources, out)


def _convert(sources: list[Path], out: Path) -> list[Path]:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for source in sources:
            shutil.copyfile(source, work / source.name)
        with _quiet():
            convert_onnx_models_to_ort(
                work,
                work / "made",
                [OptimizationStyle.Fixed],
                target_platform="arm",
                enable_type_reduction=True,
            )
        operators = work / "made" / OPERATORS
        operators.write_text(operators.read_text().replace(f"{work / 'made'}/", ""))
        results = [*sorted((work / "made").glob("*.ort")), operators]
        for result in results:
            with replacement(out / result.name) as target:
                shutil.copyfile(result, target)
    return [out / result.name for result in results]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the converter prints and logs of its progress."""
    logging.disable(logging.INFO)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
