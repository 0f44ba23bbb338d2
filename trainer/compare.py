"""The table of models: size, accuracy and speed before and after quantization, as Markdown."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from shards.reader import DataSet
from trainer.checkpoint import weights_sha256
from trainer.export import export
from trainer.facts import read_card
from trainer.files import INT8_LOGITS, INT8_READER, LOGITS, READER
from trainer.metrics import Evaluation, Rate, evaluate
from trainer.predict import by_onnx, read_split
from trainer.quantize import quantize
from trainer.report import EVALUATION
from trainer.runtime import open_session, run

PRECISIONS = ("fp32", "int8")
_TIMED = 200  # images


@dataclass(frozen=True)
class Measured:
    """One reader: bytes of its logits file, what it reads, seconds an image."""

    bytes: int
    evaluation: Evaluation
    seconds: float


@dataclass(frozen=True)
class Row:
    """One model and its readers by precision: both, or the one that is to be given away.

    name: the model's, with the folder where several of the rows are of it.
    """

    model: str
    name: str
    parameters: int
    readers: dict[str, Measured]


def compare(folders: list[Path], data: DataSet, images: int = 3_000) -> list[Row]:
    """Measure each folder on the test split; each holds the four files, or a run to make them of.

    Files made here go into `<run>/onnx`. Of a folder that `trainer ship` made, its one reader is
    measured. Raises UserError as export and quantize do.
    """
    rows = [_measure(folder, data, images) for folder in folders]
    count = Counter(row.model for row in rows)
    return [
        replace(row, name=f"{row.model} ({folder})") if count[row.model] > 1 else row
        for row, folder in zip(rows, folders, strict=True)
    ]


def as_markdown(rows: list[Row], data: str) -> str:
    """Return two tables, of models and per length; `data` names what was read."""
    lines = [
        "| model | parameters | fp32 MB | int8 MB | fp32 accuracy | int8 accuracy "
        "| fp32 ms | int8 ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [
            row.name,
            f"{row.parameters:,}",
            *_cells(row, lambda reader: f"{reader.bytes / 1e6:.2f}"),
            *_cells(row, lambda reader: f"{reader.evaluation.exact.share:.4f}"),
            *_cells(row, lambda reader: f"{1e3 * reader.seconds:.2f}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"Exact numbers in {data}, test; reading one image, one thread.", ""]
    lines += ["| model | exact | n | fp32 | int8 |", "| --- | --- | ---: | ---: | ---: |"]
    return "\n".join([*lines, *(line for row in rows for line in _by_length(row))])


def _cells(row: Row, cell: Callable[[Measured], str]) -> list[str]:
    return [cell(row.readers[name]) if name in row.readers else "-" for name in PRECISIONS]


def _by_length(row: Row) -> list[str]:
    def counted(reader: Measured) -> dict[str, Rate]:
        lengths = reader.evaluation.by_length.items()
        return {"numbers": reader.evaluation.exact} | {f"of length {n}": r for n, r in lengths}

    lines = []
    for name, rate in counted(next(iter(row.readers.values()))).items():
        cells = _cells(row, lambda reader, name=name: f"{counted(reader)[name].share:.4f}")  # type: ignore[misc]
        lines.append(f"| {row.name} | {name} | {rate.count:,} | {' | '.join(cells)} |")
    return lines


def _measure(folder: Path, data: DataSet, images: int) -> Row:
    if (folder / EVALUATION).is_file() and (folder / LOGITS).is_file():
        card = read_card(folder / LOGITS)
        files = {PRECISIONS["quantization" in card]: (folder / LOGITS, folder / READER)}
    else:
        folder = _exported(folder, data, images)
        card = read_card(folder / LOGITS)
        pairs = (folder / LOGITS, folder / READER), (folder / INT8_LOGITS, folder / INT8_READER)
        files = dict(zip(PRECISIONS, pairs, strict=True))
    times = seconds_an_image([reader for _, reader in files.values()], data)
    readers = {
        name: Measured(
            bytes=logits.stat().st_size,
            evaluation=evaluate(*read_split(by_onnx(logits), data, "test", images)),
            seconds=seconds,
        )
        for (name, (logits, _)), seconds in zip(files.items(), times, strict=True)
    }
    return Row(card["model"], card["model"], int(card["parameters"]), readers)


def _exported(folder: Path, data: DataSet, images: int) -> Path:
    """Return the folder of the four files, of which those that are missing or stale are made."""
    if not (folder / LOGITS).is_file():
        checkpoint, folder = folder, folder / "onnx"
        if _weights(folder / LOGITS) != weights_sha256(checkpoint):
            export(checkpoint, folder, data, images)
    if _weights(folder / INT8_LOGITS) != _weights(folder / LOGITS):
        quantize(folder, data, images=images)
    return folder


def _weights(logits: Path) -> str | None:
    """SHA-256 over the weights that an ONNX file was exported from; None where there is none."""
    return read_card(logits).get("weights_sha256", "") if logits.is_file() else None


def seconds_an_image(readers: list[Path], data: DataSet) -> list[float]:
    """Median time of reading one image of test on one thread, by each of the readers in turn."""
    data.require("test")
    sessions = [open_session(reader) for reader in readers]
    images, _ = data.gather("test", np.arange(min(_TIMED, data.count("test"))))
    times: list[list[float]] = [[] for _ in readers]
    for image in images:
        for session, taken in zip(sessions, times, strict=True):
            began = time.perf_counter()
            run(session, image[None])
            taken.append(time.perf_counter() - began)
    return [median(taken) for taken in times]
