"""Commands run one by one or side by side: timed, logged, and not again once they went well."""

import json
import math
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from shards.files import replacing

STEPS = "steps.json"


@dataclass(frozen=True)
class Step:
    """A command that has ended: its wall time, and what went wrong, "" for nothing."""

    name: str
    command: str
    seconds: float
    fault: str


class Steps:
    """The steps of one folder: steps.json remembers them, logs/ has what they said.

    A step that went well is not run again while its product is there and its command the same, so
    that what was cut off goes on. Threads may run steps at the same time.
    """

    def __init__(
        self, folder: Path, limit_minutes: float, beside: int, after: Callable[[list[Step]], None]
    ) -> None:
        """End all after `limit_minutes`, 0 for never; `beside` steps have room.

        `after` is called with the steps so far whenever one ends.
        """
        self.folder = folder
        self._end = time.monotonic() + 60 * limit_minutes if limit_minutes else math.inf
        self._room = threading.Semaphore(beside)
        self._lock = threading.Lock()
        self._after = after
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        known = folder / STEPS
        steps = json.loads(known.read_text()) if known.exists() else []
        self._steps = {step["name"]: Step(**step) for step in steps}

    def all(self) -> list[Step]:
        """The steps that have ended, in the order in which they first did."""
        with self._lock:
            return list(self._steps.values())

    def run(
        self, name: str, command: list[object], product: Path, more: tuple[str, ...] = ()
    ) -> bool:
        """Run `python -m COMMAND MORE` where there is room; whether its product is there and good.

        `more` are options, such as --resume, that make it no other command.
        """
        with self._room:
            return self.run_now(name, command, product, more)

    def run_now(
        self, name: str, command: list[object], product: Path, more: tuple[str, ...] = ()
    ) -> bool:
        """Do what `run` does, without waiting for room."""
        words = [str(word) for word in command]
        text = "python -m " + shlex.join(words)
        known = self._steps.get(name)
        if known and known.command == text and not known.fault and product.exists():
            return True
        print(f"{name}: {text}\n", end="", flush=True)
        began = time.monotonic()
        fault = self._run([sys.executable, "-m", *words, *more], self.folder / f"logs/{name}.log")
        if not fault and not product.exists():
            fault = f"{product} was not made"
        self._add(Step(name, text, time.monotonic() - began, fault))
        return not fault

    def _run(self, words: list[str], log: Path) -> str:
        """Run a command into its log; what went wrong."""
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "120", "NO_COLOR": "1"}
        left = self._end - time.monotonic()
        with log.open("w") as file:
            try:
                done = subprocess.run(
                    words,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    timeout=max(0.1, left) if math.isfinite(left) else None,
                )
            except subprocess.TimeoutExpired:
                return "stopped: the time was up"
        lines = log.read_text().strip().splitlines() or [""]
        return f"exit status {done.returncode}: {lines[-1]}" if done.returncode else ""

    def _add(self, step: Step) -> None:
        print(f"{step.name}: {step.seconds:.0f} s {step.fault}\n", end="", flush=True)
        with self._lock:
            self._steps[step.name] = step
            steps = list(self._steps.values())
            with replacing(self.folder / STEPS) as file:
                file.write(json.dumps([asdict(known) for known in steps], indent=1).encode())
            self._after(steps)
