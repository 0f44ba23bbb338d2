"""Eager steps against those of torch.compile, one batch held on the device."""

import statistics
import time

import torch

from shards.reader import DataSet
from tests.benchmarks.gpu.clock import rate
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.gpu.steps import held_step, one_batch, warmed_up
from tests.benchmarks.table import Row
from trainer.config import Config
from trainer.state import State


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """A row of each model, both ways in turn."""
    for model in scale.compiled:
        size = scale.usual_batch(model)
        eager = held_step(model, data, size, device)
        state = State(Config(model, batch=size), device)
        state.model.compile()
        began = time.perf_counter()
        compiled = warmed_up(state, one_batch(data, size, device))
        seconds = time.perf_counter() - began
        rates = [
            (rate(compiled, size, scale.seconds, device), rate(eager, size, scale.seconds, device))
            for _ in range(scale.rounds)
        ]
        found, baseline = (statistics.median(each) for each in zip(*rates, strict=True))
        stage = f"training step, {model}, batch {size}, --compile"
        n = f"{scale.rounds} x {scale.seconds} s; {seconds:.0f} s to compile"
        report.add(Row(stage, "images/s", found, baseline, "eager", n))
