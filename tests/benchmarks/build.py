"""How fast `generator build` is end to end, hashing included, how it scales, and how large it is.

python -m tests.benchmarks.build
"""

import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import cv2
import numpy as np
import typer
from PIL import Image
from webdataset import TarWriter

from generator.bank import Bank
from generator.embedded import embedded_bank
from generator.engine import render
from generator.recipe import preset
from tests.benchmarks import pil_reference
from tests.benchmarks.table import ROOT, Row, as_markdown

FEW, MANY, LONG = 10_000, 100_000, 1_000_000
BY_PIL, RENDERED = 2_000, 8_192
BATCH = 2048
WORKERS = os.cpu_count() or 1
MEMORY = {
    "Private_Dirty": "its own",
    "Rss": "resident, mapped files and shared pages included",
}


@dataclass(frozen=True)
class Build:
    """One run: images a second by the clock and of CPU time; peak bytes, see `build_once`."""

    wall: float
    cpu: float
    peaks: dict[str, dict[str, int]] = field(default_factory=dict)


def build_rows(bank: Path, long: bool = False) -> list[Row]:
    """Rates against PIL and TarWriter, scaling, growth of cost and memory; recipe `child`."""
    cv2.setNumThreads(1)
    many = LONG if long else MANY
    memory = [row for count in (FEW, many) for row in _memory_rows(bank, count)]
    return _rate_rows(bank, many, rounds=1 if long else 3) + memory


def _rate_rows(bank: Path, many: int, rounds: int) -> list[Row]:
    digits = pil_reference.load_digits(Bank(bank), "train")
    build_by_pil(digits, 100)
    render_alone(bank, BATCH)
    pil, rendered, few, one, two = _medians(
        rounds,
        lambda: build_by_pil(digits, BY_PIL),
        lambda: render_alone(bank, RENDERED),
        lambda: build(bank, FEW, workers=1),
        lambda: build(bank, many, workers=1),
        lambda: build(bank, many, WORKERS),
    )
    by_one, by_two = f"build {many:,}, one worker", f"build {many:,}, {WORKERS} workers"
    core, clock = "images/s a core", "images/s by the clock"
    linear = f"{WORKERS} x one worker"

    def n(count: int) -> str:
        return f"{rounds} x {many:,} / {count:,}"

    return [
        Row(by_one, core, one.cpu, pil.cpu, "PIL + TarWriter", n(BY_PIL), "15x"),
        Row(by_one, core, one.cpu, rendered.cpu, "rendering alone", n(RENDERED), "0.71"),
        Row(by_one, core, one.cpu, few.cpu, f"build {FEW:,}", n(FEW), "0.9 to 1.1"),
        Row(by_two, clock, two.wall, WORKERS * one.wall, linear, n(many), "0.9"),
        Row(by_two, core, two.cpu, one.cpu, "one worker", n(many), "0.9"),
    ]


def _memory_rows(bank: Path, count: int) -> list[Row]:
    peaks = build(bank, count, WORKERS, sample=True).peaks
    return [
        Row(
            f"build {count:,}, most memory of {who}, {name}",
            "MB",
            of[kind] / 1e6,
            None,
            "",
            "1",
            goal,
        )
        for who, of, goal in (
            ("a worker", peaks["worker"], "500 MB"),
            ("the main process", peaks["main"], ""),
        )
        for kind, name in MEMORY.items()
        if kind in of
    ]


def _medians(rounds: int, *builds: Callable[[], Build]) -> list[Build]:
    """Run the builds in turn; the median rates of each."""
    runs = [[one() for one in builds] for _ in range(rounds)]
    return [
        Build(statistics.median(r.wall for r in each), statistics.median(r.cpu for r in each))
        for each in zip(*runs, strict=True)
    ]


def build(bank: Path, count: int, workers: int, sample: bool = False) -> Build:
    """Run `generator build` in a fresh process, whose start is not counted."""
    with TemporaryDirectory(prefix="bench-") as folder:
        options = {"bank": bank, "count": count, "val": 0, "test": 0, "workers": workers}
        command = [sys.executable, "-m", "tests.benchmarks.build_once"]
        command += ["sample" if sample else "time", f"{folder}/set"]
        command += [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    usage = json.loads(done.stdout.splitlines()[-1])
    rates = count / usage["seconds"], count / usage["cpu"]
    return Build(*rates, usage["peaks"])


def render_alone(bank: Path, count: int) -> Build:
    """Render into arrays in memory, so many at a time as a build does."""
    opened, recipe = Bank(bank), preset("child")
    start, cpu = time.perf_counter(), time.process_time()
    for first in range(0, count, BATCH):
        render(opened, "train", recipe, seed=1, start=first, count=BATCH)
    return Build(count / (time.perf_counter() - start), count / (time.process_time() - cpu))


def build_by_pil(digits: pil_reference.Digits, count: int) -> Build:
    """Render one by one and write a shard of PNG, text and JSON as `webdataset` does."""
    start, cpu = time.perf_counter(), time.process_time()
    with TemporaryDirectory(prefix="bench-") as folder:
        images, labels = pil_reference.render(digits, count, count)
        with TarWriter(f"{folder}/train-00000.tar") as shard:
            for key, (image, label) in enumerate(zip(images, labels, strict=True)):
                files = {"png": _png(image), "txt": label, "json": {"label": label}}
                shard.write({"__key__": f"{key:09}", **files})
        # Within, so that removing the folder is not counted.
        return Build(count / (time.perf_counter() - start), count / (time.process_time() - cpu))


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    # Not compressed: fastest, and as large as ours.
    Image.fromarray(image).save(file, "PNG", compress_level=0)
    return file.getvalue()


def main(
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
    long: Annotated[bool, typer.Option("--long", help="Up to a million images.")] = False,
) -> None:
    """Measure building, and print it as a Markdown table."""
    typer.echo(as_markdown(build_rows((bank or embedded_bank()).resolve(), long=long)))


if __name__ == "__main__":
    typer.run(main)
