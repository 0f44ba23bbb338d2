"""What each form of a reader costs: bytes, start, milliseconds; and who takes its operators.

python -m tests.benchmarks.mobile data/child trainer/pretrained/*
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import onnxruntime
import typer

from shards.reader import DataSet
from shards.terminal import run
from tests.benchmarks.providers import coverage
from trainer.mobile import to_mobile
from trainer.runtime import to_input

app = typer.Typer(pretty_exceptions_enable=False)
STARTS = 9  # processes
# What a game waits for at its first drawing, but for loading the runtime itself. All times are CPU
# time, which is that of the clock on a quiet machine.
_START = """
import sys, time
import numpy as np
import onnxruntime as ort
options = ort.SessionOptions()
options.intra_op_num_threads = 1
began = time.process_time()
session = ort.InferenceSession(sys.argv[1], options)
sizes = {value.name: value.shape for value in session.get_inputs()}
session.run(None, {name: np.zeros(size, np.float32) for name, size in sizes.items()})
print(time.process_time() - began)
"""


def start_seconds(files: dict[str, Path]) -> dict[str, float]:
    """Median CPU time from each file to its first answer, each in a process of its own, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(STARTS):
        for name, path in files.items():
            command = [sys.executable, "-c", _START, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            taken[name].append(float(done.stdout))
    return {name: statistics.median(each) for name, each in taken.items()}


def open_one_thread(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


def measure(
    files: dict[str, Path], images: np.ndarray, expected: np.ndarray
) -> dict[str, tuple[float, np.ndarray]]:
    """Median CPU seconds an image, the files in turn, and what each puts out, (n, 13) or (n, 4)."""
    sessions = {name: open_one_thread(path) for name, path in files.items()}
    times: dict[str, list[float]] = {name: [] for name in files}
    found: dict[str, list[np.ndarray]] = {name: [] for name in files}
    for image, digits in zip(images, expected, strict=True):
        given = {"image": image[None], "expected": digits[None]}
        for name, session in sessions.items():
            inputs = {value.name: given[value.name] for value in session.get_inputs()}
            began = time.process_time()
            answer = session.run(None, inputs)[0]
            times[name].append(time.process_time() - began)
            found[name].append(answer[0])
    return {name: (statistics.median(times[name]), np.array(found[name])) for name in files}


def unlike(found: np.ndarray, wanted: np.ndarray) -> int:
    """Of how many images something other than a probability differs."""
    exact = [0, 2, 3, 4, 5, 6, 7] if found.shape[1] == 13 else [0, 3]
    return int((found[:, exact] != wanted[:, exact]).any(axis=1).sum())


@app.command()
def bench(
    data: Annotated[Path, typer.Argument(help="Data set, whose test split is read.")],
    folders: Annotated[list[Path], typer.Argument(help="Each holds reader.onnx.")],
    images: Annotated[int, typer.Option(min=1, help="At most this many are read.")] = 1_000,
) -> None:
    """Print both tables, as Markdown."""
    samples = DataSet(data)
    chosen = np.arange(min(images, samples.count("test")))
    pictures, digits = samples.gather("test", chosen)
    typer.echo("| reader | file | bytes | start, ms | one image, ms | unlike .onnx |")
    typer.echo("| --- | --- | ---: | ---: | ---: | ---: |")
    with TemporaryDirectory() as work:
        for folder in folders:
            made = to_mobile(folder, Path(work) / folder.name)
            own = [folder / f"{stem}.onnx" for stem in ("reader", "checker")]
            paths = [path for path in (*own, *made) if path.suffix != ".config" and path.is_file()]
            files = {path.name: path for path in paths}
            results = measure(files, to_input(pictures), digits.astype(np.float32))
            starts = start_seconds(files)
            for name, path in files.items():
                seconds, found = results[name]
                others = unlike(found, results[f"{name.partition('.')[0]}.onnx"][1])
                typer.echo(
                    f"| {folder.name} | {name} | {path.stat().st_size:,} "
                    f"| {1e3 * starts[name]:.1f} | {1e3 * seconds:.3f} "
                    f"| {others} of {len(chosen):,} |"
                )
    typer.echo("\n" + coverage([f / n for f in folders for n in ("reader.onnx", "logits.onnx")]))


if __name__ == "__main__":
    run(app)()
