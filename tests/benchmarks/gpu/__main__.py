"""All benchmarks of training on a GPU: one command, one table, within the time it is given.

python -m tests.benchmarks.gpu --out FOLDER

FOLDER gets gpu.md, gpu.json and log.txt, rewritten while it runs, so that a run that is cut off
leaves what it found. `--scale tiny --device cpu` is a trial of the way without a GPU.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TextIO

import typer
from torch import __version__ as VERSION  # noqa: N812

from shards.terminal import run
from tests.benchmarks.gpu.machine import device_name
from tests.benchmarks.gpu.report import Report, write
from tests.benchmarks.gpu.scale import SCALES, Scale
from trainer.device import choose_device

# Stages in the order of their worth, and the most seconds that each may take of `MINUTES`.
SECONDS = {
    "machine": 30,
    "waits": 60,
    "steps": 150,
    "plain": 90,
    "schedule": 240,
    "kernels": 60,
    "compile": 120,
}
DATA_SECONDS = 120
MINUTES = 9.0
LOOK_EVERY = 5  # seconds
FAILED = "failed"

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def bench(
    out: Annotated[Path, typer.Option(help="Folder for gpu.md, gpu.json and log.txt.")],
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
    digits: Annotated[
        Path | None, typer.Option(help="MNIST's idx files, of which a bank is made.")
    ] = None,
    device: Annotated[str, typer.Option(help="cuda, cpu or auto.")] = "auto",
    scale: Annotated[str, typer.Option(help="full, or tiny for a trial of the way.")] = "full",
    limit: Annotated[float, typer.Option(help="Minutes for all.")] = MINUTES,
    stages: Annotated[str, typer.Option(help="These alone, in this order.")] = " ".join(SECONDS),
) -> None:
    """Measure training on one device, stage by stage, each in its own process."""
    wanted = stages.split()
    if unknown := [stage for stage in wanted if stage not in SECONDS]:
        text = f"{', '.join(unknown)}: none of {', '.join(SECONDS)}"
        raise typer.BadParameter(text, param_hint="--stages")
    if scale not in SCALES:
        raise typer.BadParameter(f"{scale} is none of {', '.join(SCALES)}", param_hint="--scale")
    out.mkdir(parents=True, exist_ok=True)
    place = choose_device(device)
    with TemporaryDirectory(prefix="bench-gpu-") as work, (out / "log.txt").open("w") as log:
        runner = _Runner(out, Path(work), log, limit, f"{device_name(place)}, torch {VERSION}")
        options = ["--device", place.type, "--scale", scale]
        made = runner.make_data(_data_commands(runner.data, bank, digits, SCALES[scale]))
        for stage in wanted if made else []:
            runner.run_stage(stage, options)
    typer.echo((out / "gpu.md").read_text(encoding="utf-8"))
    if failed := [stage for stage, state in runner.states.items() if state.startswith(FAILED)]:
        sys.exit(f"failed: {', '.join(failed)}; see {out / 'log.txt'}")


class _Runner:
    """Runs commands within the time, and rewrites the table as they find things."""

    def __init__(self, out: Path, work: Path, log: TextIO, minutes: float, heading: str) -> None:
        self.data = work / "set"
        self.states: dict[str, str] = {}
        self._out, self._work, self._log, self._heading = out, work, log, heading
        self._end, self._longer = time.monotonic() + 60 * minutes, minutes / MINUTES
        self._reports: dict[str, Path] = {}

    def make_data(self, commands: list[list[str]]) -> bool:
        """Whether all went well."""
        return all(self._run("data", command, DATA_SECONDS) for command in commands)

    def run_stage(self, stage: str, options: list[str]) -> None:
        """Run a stage, in a process of its own."""
        path = self._reports[stage] = self._work / f"{stage}.json"
        command = _python("tests.benchmarks.gpu.stage", stage, self.data, path, *options)
        self._run(stage, command, SECONDS[stage])

    def _run(self, name: str, command: list[str], most: float) -> bool:
        began = time.monotonic()
        end = min(self._end, began + most * self._longer)
        print(f"{name} ...", flush=True)
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=self._log, stderr=self._log, env=environment)
        while process.poll() is None and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(left, LOOK_EVERY))
            self._write()
        went = f"{time.monotonic() - began:.0f} s"
        if process.poll() is None:
            process.kill()
            went = f"stopped after {went}"
        elif process.returncode:
            went = f"{FAILED} with status {process.returncode} after {went}: {self._last_line()}"
        process.wait()
        self.states[name] = went
        self._write()
        return process.returncode == 0

    def _last_line(self) -> str:
        lines = Path(self._log.name).read_text(encoding="utf-8").strip().splitlines()
        return lines[-1] if lines else ""

    def _write(self) -> None:
        reports = [Report.read(path) for path in self._reports.values()]
        write(self._out, self._heading, reports, self.states)


def _data_commands(
    data: Path, bank: Path | None, digits: Path | None, scale: Scale
) -> list[list[str]]:
    """Make a bank unless there is one, and of it a data set as the reference makes it."""
    commands = []
    if bank is None:
        bank = data.with_suffix(".h5")
        source = ["--mnist", digits, "--no-custom"] if digits else []
        commands.append(_python("generator", "digits", bank, *source))
    sizes = ["--count", scale.images, "--val", scale.held_out, "--test", scale.held_out]
    recipe = ["--bank", bank, "--preset", "reference", "--seed", 1]
    return [*commands, _python("generator", "build", data, *recipe, *sizes)]


def _python(*words: object) -> list[str]:
    return [sys.executable, "-m", *map(str, words)]


if __name__ == "__main__":
    run(app)()
