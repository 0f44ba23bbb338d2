"""How fast numbers are read: one drawing at a time, and in batches; one thread.

python -m tests.benchmarks.infer --reader reader.int8.onnx
"""

import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import cv2
import numpy as np
import typer

from generator.embedded import embedded_bank
from shards.canvas import fit
from shards.reader import DataSet
from tests.benchmarks.peers import Peers, compare
from tests.benchmarks.read import make_data
from tests.benchmarks.readers import make_readers
from tests.benchmarks.table import Row, as_markdown
from tests.benchmarks.timing import Task, median_rates
from trainer.models import MODELS
from trainer.read import Reader
from trainer.runtime import open_session, run

WIDTH, HEIGHT = 300, 100  # px of the drawing
CALLS = 50
BATCH = 64
ROUNDS = 9


def infer_rows(data: DataSet, folder: Path, reader: Path | None = None) -> list[Row]:
    """Latency of a drawing and rates of batches; files are made in `folder`.

    `reader` is a trained nano reader, 8-bit; by default one of random weights.
    """
    logging.getLogger().setLevel(logging.ERROR)  # the quantizer's hints
    make_readers(folder, data)
    rows = _one_drawing(data, folder, reader or folder / "nano.reader.int8.onnx")
    for model in MODELS:
        rows += _batches(data, folder, model)
    return rows


def _one_drawing(data: DataSet, folder: Path, path: Path) -> list[Row]:
    canvas = data.gather("train", np.array([1]))[0]
    drawing = 255 - cv2.resize(canvas[0], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    reader, reference = Reader(path), open_session(folder / "reference.onnx")
    calls: dict[str, Callable[[], object]] = {
        "both": lambda: reader.read(drawing),
        "fit": lambda: fit(drawing),
        "network": lambda: reader.read_canvas(canvas[0]),
        "reference": lambda: run(reference, canvas),
    }
    rates = median_rates({name: _repeated(call) for name, call in calls.items()}, ROUNDS)
    ms = {name: 1000 / rate for name, rate in rates.items()}
    peer = "the reference's Optimized, quantized dynamically: network alone, nothing fitted"
    n, unit = f"{ROUNDS} x {CALLS}", "ms"
    stage = f"a drawing of {WIDTH} x {HEIGHT}"
    return [
        Row(
            f"read {stage}: fit + nano int8",
            unit,
            ms["both"],
            ms["reference"],
            peer,
            n,
            "0.35 ms, 14x",
        ),
        Row(f"{stage}: fit alone", unit, ms["fit"], None, "", n),
        Row("read a canvas: nano int8", unit, ms["network"], ms["reference"], peer, n),
    ]


def _repeated(call: Callable[[], object]) -> Task:
    def task(number: int) -> int:
        for _ in range(CALLS):
            call()
        return CALLS

    return task


def _batches(data: DataSet, folder: Path, model: str) -> list[Row]:
    images = data.gather("train", np.arange(BATCH))[0]

    def reading(path: Path) -> Task:
        session = open_session(path)
        repeats = 16 if model == "nano" else 1

        def task(number: int) -> int:
            return sum(len(run(session, images)) for _ in range(repeats))

        return task

    peers: Peers = {"the same in float32": reading(folder / f"{model}.onnx")}
    stage = f"read batches of {BATCH}, {model} int8"
    ours = reading(folder / f"{model}.int8.onnx")
    return compare(stage, ours, peers, ROUNDS, f"{ROUNDS} x {BATCH}", "1x")


def main(
    reader: Annotated[Path | None, typer.Option(help="A trained nano reader, 8-bit.")] = None,
) -> None:
    """Measure reading, and print it as a Markdown table."""
    with TemporaryDirectory(prefix="bench-") as folder:
        data = make_data(Path(folder) / "set", embedded_bank())
        typer.echo(as_markdown(infer_rows(data, Path(folder), reader)))


if __name__ == "__main__":
    typer.run(main)
