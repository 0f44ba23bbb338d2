"""Training steps: one batch held on the device, and batches from shards."""

import itertools
import statistics
from collections.abc import Iterator

import torch

from shards.reader import DataSet
from tests.benchmarks.gpu.clock import Work, rate
from tests.benchmarks.gpu.machine import matrix_peak, step_flops
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.table import Row
from trainer.config import Config
from trainer.data import Batch, Gather, Order, from_device, from_shards, stream
from trainer.device import choose_precision
from trainer.meter import Meter
from trainer.state import State
from trainer.train import update

GOALS = {"optimized": "100,000/s, ", "base": "40,000/s, "}
RATE = 1e-3
WARM_UP = 5  # steps: cuDNN tries its algorithms, memory is taken
READ_EVERY = 50  # steps, as `train` reads its losses
HELD = "one batch held on the device"


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """Rows of each model: the share of the peak with the best batch, and streaming."""
    peak = matrix_peak(scale.side, device)
    for model, sizes in scale.batches.items():
        held = {}
        for size in sizes:
            step = held_step(model, data, size, device)
            held[size] = rate(step, size, scale.seconds, device)
        best = max(held, key=lambda size: held[size])
        tried = "images/s by batch: " + ", ".join(f"{size} {held[size]:,.0f}" for size in sizes)
        stage = f"training step, {model}, batch {best}, {HELD}: arithmetic"
        done = held[best] * step_flops(model) / 1e12
        report.add(Row(stage, "TFLOP/s", done, peak, "a bf16 product here", tried, "say it"))
        _streaming(report, model, data, best, scale, device)


def held_step(model: str, data: DataSet, size: int, device: torch.device) -> Work:
    """The step of a new network on one batch that is held on the device."""
    return warmed_up(State(Config(model, batch=size), device), one_batch(data, size, device))


def warmed_up(state: State, batches: Iterator[Batch]) -> Work:
    """The trainer's step on the next of `batches`, with its losses read now and then."""
    precision = choose_precision("auto", state.device)
    meter = Meter(state.config.batch, [])

    def step() -> None:
        meter.add(update(state, next(batches), RATE, precision))
        if state.updates % READ_EVERY == 0:
            meter.read()

    for _ in range(WARM_UP):
        step()
    return step


def one_batch(data: DataSet, size: int, device: torch.device) -> Iterator[Batch]:
    """The same batch without end."""
    return itertools.repeat(next(endless(from_shards(data, "train", device), data, size, device)))


def endless(gather: Gather, data: DataSet, size: int, device: torch.device) -> Iterator[Batch]:
    """Epochs without end, as `train` streams them."""
    order = Order(data.count("train"), data.count("train"), size, seed=1)
    for epoch in itertools.count():
        yield from stream(gather, order.indices(epoch), device)


def _streaming(
    report: Report, model: str, data: DataSet, size: int, scale: Scale, device: torch.device
) -> None:
    """Rows of one network fed in three ways in turn."""
    state = State(Config(model, batch=size), device)
    ways = {
        HELD: one_batch(data, size, device),
        "streamed from shards": endless(from_shards(data, "train", device), data, size, device),
        "from the split on the device": endless(
            from_device(data, "train", device), data, size, device
        ),
    }
    steps = {way: warmed_up(state, batches) for way, batches in ways.items()}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(scale.rounds):
        for way, step in steps.items():
            rates[way].append(rate(step, size, scale.seconds, device))
    held, *others = (statistics.median(each) for each in rates.values())
    for way, found in zip(list(ways)[1:], others, strict=True):
        stage = f"training, {model}, batch {size}, {way}"
        n = f"{scale.rounds} x {scale.seconds} s, in turn"
        goal = f"{GOALS.get(model, '')}under 3 % less"
        report.add(Row(stage, "images/s", found, held, HELD, n, goal))
