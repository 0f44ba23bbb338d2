"""What a run leaves for people: a JSONL log, TensorBoard events, a picture of the curves."""

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shards.errors import UserError
from shards.files import replacing
from shards.schema import expect, reject

LOG, SKIPPED, CURVES = "log.jsonl", "skipped.jsonl", "curves.png"


class RunLog:
    """Appends records to `log.jsonl` and TensorBoard in `folder`; a resumed run goes on in both.

    `step` is where it goes on: records of later steps, which a killed run has left and which are
    now taken again, are dropped.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second: only when training

        self.folder = folder
        for name in (LOG, SKIPPED):
            _drop_after(step, folder / name)
        self._file = (folder / LOG).open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder), purge_step=step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()
        self._board.close()

    def write(self, step: int, **values: float) -> None:
        """One record; `step` counts from the beginning of the run."""
        print(json.dumps({"step": step, **values}), file=self._file, flush=True)
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def note_skipped(self, step: int, epoch: int, keys: list[str]) -> None:
        """Add a step that was skipped, with the keys of its samples, to `skipped.jsonl`."""
        path = self.folder / SKIPPED
        with path.open("a", encoding="utf-8") as file:
            print(json.dumps({"step": step, "epoch": epoch, "keys": keys}), file=file)
        print(f"step {step} was skipped, its loss is not finite: its samples are in {path}")


class NoLog(RunLog):
    """What the ranks after the first have: it writes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __exit__(self, *_: object) -> None:
        """Close nothing."""

    def write(self, step: int, **values: float) -> None:
        """Write nothing."""

    def note_skipped(self, step: int, epoch: int, keys: list[str]) -> None:
        """Note nothing."""


def open_log(folder: Path, step: int, writes: bool) -> RunLog:
    """Return a run's log, or for a process that does not write the one that stays empty."""
    return RunLog(folder, step) if writes else NoLog(folder)


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return all records of a run, each with its `step`; UserError for a damaged log."""
    path = folder / LOG
    with path.open("rb") as file:
        return [_record(line, f"line {number} of {path}") for number, line in enumerate(file, 1)]


def _record(line: bytes, where: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = expect(json.loads(line), dict, where)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{where} is no JSON ({error}): remove that line") from error
    for name in ("step", *(("val_loss",) if "accuracy" in record else ())):
        if name not in record:
            reject(where, f"lacks the field {name!r}")
    for name, value in record.items():
        if type(value) not in (int, float):
            reject(where, f"has {value!r} as {name!r}, which is no number")
    return record


def _drop_after(step: int, path: Path) -> None:
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if line.endswith(b"\n") and _step_of(line) <= step]
    if kept != lines:
        with replacing(path) as file:
            file.writelines(kept)


def _step_of(line: bytes) -> float:
    """The step of a line; of one that a crash has damaged, which is dropped, after all others."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return math.inf
    step = found.get("step") if isinstance(found, dict) else None
    return step if isinstance(step, int) else math.inf


def draw_curves(folder: Path) -> None:
    """Rewrite `curves.png`: loss and validation accuracy over the steps."""
    from matplotlib.figure import Figure  # without pyplot there is no global state and no display
    from matplotlib.ticker import LogFormatter

    records = read_log(folder)
    losses = [r for r in records if "loss" in r]
    checks = [r for r in records if "accuracy" in r]
    figure = Figure(figsize=(8, 5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.semilogy([r["step"] for r in losses], [r["loss"] for r in losses], label="training")
    top.semilogy([r["step"] for r in checks], [r["val_loss"] for r in checks], label="validation")
    top.set_ylabel("CTC loss, nats")
    top.yaxis.set_major_formatter("{x:g}")  # not as powers of ten
    top.yaxis.set_minor_formatter(LogFormatter())
    top.legend()
    bottom.plot([r["step"] for r in checks], [r["accuracy"] for r in checks], marker=".")
    bottom.set_ylabel("exact numbers, val")
    bottom.set_xlabel("step")
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
    with replacing(folder / CURVES) as file:
        figure.savefig(file, format="png", dpi=110)
