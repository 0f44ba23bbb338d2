"""Where the time of a training step goes, by what the device was asked for."""

from collections import defaultdict

import torch
from torch import Tensor, nn
from torch._C._autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from shards.reader import DataSet
from tests.benchmarks.gpu.clock import now, seconds_of
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.gpu.steps import held_step

STEPS = 5
TOP = 25  # operations that are listed
LOSS = "_Loss"  # the class of trainer.ctc whose operations are the loss
# What an operation is, by the first of these words that its name has.
GROUPS = {
    "rnn": "LSTM",
    "lstm": "LSTM",
    "batch_norm": "batch norm",
    "conv": "convolution",
    "max_pool": "pooling",
    "_fused_adam": "optimizer, clipping, average",
    "_foreach": "optimizer, clipping, average",
    "mm": "linear",
    "copy_": "copies and casts",
}
REST = "elementwise and all else"


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """Texts: a table of each model, its operations, and the LSTM alone by precision."""
    for model in scale.batches:
        size = scale.usual_batch(model)
        step = held_step(model, data, size, device)
        plain_ms = 1e3 * seconds_of(step, device, STEPS)
        activities = [ProfilerActivity.CPU]
        if device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        with profile(activities=activities) as profiler:
            for _ in range(STEPS):
                step()
            now(device)
        table = _table(list(profiler.events()), plain_ms, device)
        report.say(f"Where a step of {model} goes, batch {size}", table)
        key = f"self_{_clock(device)}_time_total"
        listed = profiler.key_averages().table(sort_by=key, row_limit=TOP)
        report.say(f"Operations of {STEPS} steps of {model}", f"```\n{listed}\n```")
    size = scale.usual_batch("optimized")
    report.say(
        f"An LSTM layer alone, 256 to 256, both ways, 33 steps, batch {size}", _lstm(size, device)
    )


def _clock(device: torch.device) -> str:
    return "device" if device.type == "cuda" else "cpu"


def _table(events: list[FunctionEvent], plain_ms: float, device: torch.device) -> str:
    """Milliseconds a step by group, of the device's own time where it has one."""
    spent: dict[str, float] = defaultdict(float)
    for event in events:
        if event.device_type == DeviceType.CPU:
            own = getattr(event, f"self_{_clock(device)}_time_total")
            spent[_group(event)] += own / 1e3 / STEPS
    total = sum(spent.values())
    lines = ["| part | ms a step | share |", "| --- | ---: | ---: |"]
    for group, ms in sorted(spent.items(), key=lambda item: -item[1]):
        lines.append(f"| {group} | {ms:.3f} | {100 * ms / total:.1f} % |")
    lines.append(f"| all | {total:.3f} | a step by the clock, not profiled: {plain_ms:.3f} |")
    return "\n".join(lines)


def _group(event: FunctionEvent) -> str:
    above: FunctionEvent | None = event
    while above is not None:
        if above.name.startswith(LOSS):
            return "CTC"
        above = above.cpu_parent
    return next((group for word, group in GROUPS.items() if word in event.name), REST)


def _lstm(size: int, device: torch.device) -> str:
    """Milliseconds forwards and backwards, by precision."""
    layer = nn.LSTM(256, 256, bidirectional=True, batch_first=True).to(device)
    columns = torch.randn(size, 33, 256, device=device, requires_grad=True)

    def both_ways(precision: torch.dtype) -> Tensor:
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            states, _ = layer(columns.to(precision))
        total: Tensor = states.float().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    lines = []
    halves = (torch.bfloat16, torch.float16) if device.type == "cuda" else ()
    for precision in (torch.float32, *halves):
        try:
            ms = f"{1e3 * seconds_of(lambda: both_ways(precision), device):.3f} ms"  # noqa: B023
        except RuntimeError as error:
            ms = f"does not run: {error}"
        lines.append(f"- {precision}: {ms}")
    return "\n".join(lines)
