"""How fast `generator build` is end to end, process start and hashing included, and how large."""

import io
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from generator.bank import Bank
from tests.benchmarks import pil_reference
from tests.benchmarks.table import ROOT, Row

COUNT, COUNT_BY_PIL = 120_000, 3_000
ROUNDS = 3


@dataclass(frozen=True)
class Rates:
    """Images per second by the clock, and per second of CPU time of all processes together."""

    wall: float
    cpu: float


def build_rows(
    bank: Path,
    workers: int,
    count: int = COUNT,
    count_by_pil: int = COUNT_BY_PIL,
    rounds: int = ROUNDS,
) -> list[Row]:
    """Time and memory of building `count` images, recipe `child`, against PIL and TarWriter.

    Call it before anything large is loaded: to getrusage, a process starts with the peak memory of
    the one that started it.
    """
    _, main, worker = build(bank, count, workers)
    digits = pil_reference.load_digits(Bank(bank), "train")
    build_by_pil(digits, 100)
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(build_by_pil(digits, count_by_pil))
        ours.append(build(bank, count, workers)[0])
    n = f"{rounds} x {count:,} / {count_by_pil:,}"
    peer = "PIL + TarWriter, one process"
    wall, wall_by_pil = (statistics.median(rate.wall for rate in each) for each in (ours, theirs))
    cpu, cpu_by_pil = (statistics.median(rate.cpu for rate in each) for each in (ours, theirs))
    return [
        Row(f"build, {workers} workers, by the clock", "images/s", wall, wall_by_pil, peer, n),
        Row("build, per second of CPU time", "images/s a core", cpu, cpu_by_pil, peer, n),
        _memory_row("main process", main, count),
        _memory_row("largest worker", worker, count),
    ]


def _memory_row(process: str, peak: int, count: int) -> Row:
    stage = f"build, peak memory of the {process}, mapped files included"
    return Row(stage, "MB", peak / 1e6, None, "", f"1 x {count:,}")


def build(bank: Path, count: int, workers: int) -> tuple[Rates, int, int]:
    """Run `generator build`; its rates, and peak bytes of the main process and of a worker."""
    with TemporaryDirectory(prefix="bench-") as folder:
        options = {"bank": bank, "count": count, "val": 0, "test": 0, "workers": workers}
        command = [sys.executable, "-m", "tests.benchmarks.build_once", f"{folder}/set"]
        command += [f"--{name}={value}" for name, value in options.items()]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        wall = time.perf_counter() - start
    usage = json.loads(done.stdout.splitlines()[-1])
    return Rates(count / wall, count / usage["cpu"]), usage["main"], usage["worker"]


def build_by_pil(digits: pil_reference.Digits, count: int) -> Rates:
    """Render one by one and write a shard of PNG, text and JSON as `webdataset` does."""
    # Here, since it loads torch where there is one: see build_rows.
    from webdataset import TarWriter

    start, cpu = time.perf_counter(), time.process_time()
    with TemporaryDirectory(prefix="bench-") as folder:
        images, labels = pil_reference.render(digits, count, count)
        with TarWriter(f"{folder}/train-00000.tar") as shard:
            for key, (image, label) in enumerate(zip(images, labels, strict=True)):
                files = {"png": _png(image), "txt": label, "json": {"label": label}}
                shard.write({"__key__": f"{key:09}", **files})
        # Within, so that removing the folder is not counted.
        return Rates(count / (time.perf_counter() - start), count / (time.process_time() - cpu))


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    # Not compressed: fastest, and as large as ours.
    Image.fromarray(image).save(file, "PNG", compress_level=0)
    return file.getvalue()
