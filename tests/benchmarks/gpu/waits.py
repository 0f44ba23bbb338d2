"""Whether a training step waits for the device, and whether two runs end in the same bits."""

import warnings
from collections import Counter
from collections.abc import Callable

import torch

from shards.reader import DataSet
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.gpu.steps import RATE, WARM_UP, endless
from trainer.config import Config
from trainer.data import from_shards
from trainer.device import choose_precision
from trainer.state import State
from trainer.train import update

STEPS = 10


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """A text of each question, model by model."""
    questions: dict[str, Callable[[_Run], str]] = {
        f"Where the host waits for the device, in {STEPS} steps": _waits,
        f"Two runs of {STEPS} steps, in cuDNN's deterministic mode": _repeats,
    }
    for question, answer in questions.items():
        lines = []
        for model in scale.batches:
            lines.append(f"- {model}: {answer(_Run(data, model, scale, device))}")
            report.say(question, "\n".join(lines))


def _waits(run: "_Run") -> str:
    """Steps after a warm-up, with torch warning of each call that waits."""
    if run.state.device.type != "cuda":
        return "not a device that one waits for"
    run.go(WARM_UP)
    torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.go(STEPS)
    torch.cuda.set_sync_debug_mode("default")
    waits = [each for each in caught if "synchroniz" in str(each.message)]
    places = Counter(f"{each.filename}:{each.lineno}" for each in waits)
    counted = ", ".join(f"{place} ({count} times)" for place, count in places.items())
    return f"{len(waits)} times: {counted}" if waits else "nowhere"


def _repeats(run: "_Run") -> str:
    """Whether a run and one that is like it end in the same weights."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    other = run.again()
    for each in (run, other):
        each.go(STEPS)
    weights = (each.state.model.state_dict().values() for each in (run, other))
    equal = all(torch.equal(one, same) for one, same in zip(*weights, strict=True))
    return "the same bits" if equal else "other bits"


class _Run:
    """A new network, streaming from shards."""

    def __init__(self, data: DataSet, model: str, scale: Scale, device: torch.device) -> None:
        self._made_of = data, model, scale, device
        size = scale.usual_batch(model)
        self.state = State(Config(model, batch=size), device)
        self.precision = choose_precision("auto", device)
        self.batches = endless(from_shards(data, "train", device), data, size, device)

    def again(self) -> "_Run":
        """One that is like it, at its beginning."""
        return _Run(*self._made_of)

    def go(self, steps: int) -> None:
        """Train."""
        for _ in range(steps):
            update(self.state, next(self.batches), RATE, self.precision)
