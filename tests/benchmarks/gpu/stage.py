"""One stage in a process of its own, so that what goes wrong in it stays in it.

python -m tests.benchmarks.gpu.stage NAME DATA REPORT --device cuda --scale full
"""

from collections.abc import Callable
from pathlib import Path

import torch
import typer

from shards.reader import DataSet
from tests.benchmarks.gpu import compiled, kernels, machine, plain, schedule, steps, waits
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import SCALES, Scale
from trainer.device import choose_device, prepare

Measure = Callable[[Report, DataSet, Scale, torch.device], None]
STAGES: dict[str, Measure] = {
    "machine": machine.measure,
    "waits": waits.measure,
    "steps": steps.measure,
    "plain": plain.measure,
    "schedule": schedule.measure,
    "kernels": kernels.measure,
    "compile": compiled.measure,
}


def main(name: str, data: Path, report: Path, device: str = "auto", scale: str = "full") -> None:
    """Measure on a data set, and keep what was found in a file."""
    where = choose_device(device)
    prepare(where)
    STAGES[name](Report(report), DataSet(data), SCALES[scale], where)


if __name__ == "__main__":
    typer.run(main)
