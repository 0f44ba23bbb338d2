"""The table of models: size, accuracy and speed before and after quantization, as Markdown."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from shards.reader import DataSet
from trainer.export import LOGITS, READER, accuracy, export, read_card
from trainer.predict import by_onnx, read_split
from trainer.quantize import INT8_LOGITS, INT8_READER, quantize
from trainer.runtime import open_session, run

_TIMED = 200  # images


@dataclass(frozen=True)
class Row:
    """One model: bytes of its logits file, share of exact numbers, seconds an image; fp32, int8."""

    model: str
    parameters: int
    sizes: tuple[int, int]
    accuracies: tuple[float, float]
    seconds: tuple[float, float]
    images: int


def compare(folders: list[Path], data: DataSet, images: int = 3_000) -> list[Row]:
    """Measure each folder on the test split; each holds the four files, or a run to make them of.

    Files made here go into `<run>/onnx`. Raises UserError as export and quantize do.
    """
    return [_measure(folder, data, images) for folder in folders]


def as_markdown(rows: list[Row], data: str) -> str:
    """Return the table, with what was read (the name of the data set) in a line below."""
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
            *(f"{share:.4f}" for share in row.accuracies),
            *(f"{1e3 * seconds:.2f}" for seconds in row.seconds),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    counts = " / ".join(f"{n:,}" for n in sorted({row.images for row in rows}))
    lines += ["", f"Exact numbers of {counts} in {data}, test; reading one image, one thread."]
    return "\n".join(lines)


def _measure(folder: Path, data: DataSet, images: int) -> Row:
    if not (folder / LOGITS).is_file():
        checkpoint, folder = folder, folder / "onnx"
        if not (folder / LOGITS).is_file():
            export(checkpoint, folder, data, images)
    if not (folder / INT8_LOGITS).is_file():
        quantize(folder, data, images=images)
    card = read_card(folder / LOGITS)
    shares = []
    for name in (LOGITS, INT8_LOGITS):
        read, truth = read_split(by_onnx(folder / name), data, "test", images)
        shares.append(accuracy(read, truth))
    return Row(
        model=card["model"],
        parameters=int(card["parameters"]),
        sizes=((folder / LOGITS).stat().st_size, (folder / INT8_LOGITS).stat().st_size),
        accuracies=(shares[0], shares[1]),
        seconds=_seconds(folder, data),
        images=len(truth),
    )


def _seconds(folder: Path, data: DataSet) -> tuple[float, float]:
    """Median time of reading one image on one thread, fp32 and int8 in turn."""
    sessions = [open_session(folder / name) for name in (READER, INT8_READER)]
    images, _ = data.gather("test", np.arange(min(_TIMED, data.count("test"))))
    times: tuple[list[float], list[float]] = ([], [])
    for image in images:
        for session, taken in zip(sessions, times, strict=True):
            began = time.perf_counter()
            run(session, image[None])
            taken.append(time.perf_counter() - began)
    return median(times[0]), median(times[1])
