"""The table of models: size, accuracy and speed before and after quantization, as Markdown."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from shards.reader import DataSet
from trainer.export import LOGITS, READER, export, read_card
from trainer.metrics import Evaluation, evaluate, side_by_side
from trainer.predict import by_onnx, read_split
from trainer.quantize import INT8_LOGITS, INT8_READER, quantize
from trainer.runtime import open_session, run

_TIMED = 200  # images


@dataclass(frozen=True)
class Row:
    """One model: bytes of its logits file, what it reads, seconds an image; fp32, int8."""

    model: str
    parameters: int
    sizes: tuple[int, int]
    evaluations: tuple[Evaluation, Evaluation]
    seconds: tuple[float, float]


def compare(folders: list[Path], data: DataSet, images: int = 3_000) -> list[Row]:
    """Measure each folder on the test split; each holds the four files, or a run to make them of.

    Files made here go into `<run>/onnx`. Raises UserError as export and quantize do.
    """
    return [_measure(folder, data, images) for folder in folders]


def as_markdown(rows: list[Row], data: str) -> str:
    """Return two tables, of models and per length; `data` names what was read."""
    lines = [
        "| model | parameters | fp32 MB | int8 MB | fp32 accuracy | int8 accuracy "
        "| fp32 ms | int8 ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [
            row.model,
            f"{row.parameters:,}",
            *(f"{size / 1e6:.2f}" for size in row.sizes),
            *(f"{evaluation.exact.share:.4f}" for evaluation in row.evaluations),
            *(f"{1e3 * seconds:.2f}" for seconds in row.seconds),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"Exact numbers in {data}, test; reading one image, one thread.", ""]
    lines += ["| model | exact | n | fp32 | int8 |", "| --- | --- | ---: | ---: | ---: |"]
    for row in rows:
        for cells in side_by_side(*row.evaluations):
            lines.append(f"| {row.model} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _measure(folder: Path, data: DataSet, images: int) -> Row:
    if not (folder / LOGITS).is_file():
        checkpoint, folder = folder, folder / "onnx"
        if not (folder / LOGITS).is_file():
            export(checkpoint, folder, data, images)
    if not (folder / INT8_LOGITS).is_file():
        quantize(folder, data, images=images)
    card = read_card(folder / LOGITS)
    times = seconds_an_image([folder / READER, folder / INT8_READER], data)
    files = folder / LOGITS, folder / INT8_LOGITS
    before, after = (evaluate(*read_split(by_onnx(f), data, "test", images)) for f in files)
    return Row(
        model=card["model"],
        parameters=int(card["parameters"]),
        sizes=(files[0].stat().st_size, files[1].stat().st_size),
        evaluations=(before, after),
        seconds=(times[0], times[1]),
    )


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
