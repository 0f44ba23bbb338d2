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
from contextlib import nullcontext
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

    A step that went well is not run again while its product is there, no older than what it is made
    of, and its command the same, so that what was cut off goes on. Threads may run steps at the
    same time.
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
        """The steps so far, in the order in which they began."""
        with self._lock:
            return list(self._steps.values())

    def run(
        self,
        name: str,
        command: list[object],
        product: Path,
        again: tuple[str, ...] = (),
        made_of: tuple[Path, ...] = (),
        now: bool = False,
    ) -> bool:
        """Run `python -m COMMAND` once there is room, or `now`; whether its product is good.

        `again` are options, such as --resume, for a command that was begun before; `made_of` are
        files after which the product has to be made anew.
        """
        words = [str(word) for word in command]
        text = "python -m " + shlex.join(words)
        known = self._steps.get(name)
        begun = known is not None and known.command == text
        if known and begun and not known.fault and _is_newer(product, made_of):
            return True
        print(f"{name}: {text}\n", end="", flush=True)
        self._note(Step(name, text, 0.0, "has not ended"))
        words += again if begun else ()
        with nullcontext() if now else self._room:
            began = time.monotonic()
            fault = self._run([sys.executable, "-m", *words], self.folder / f"logs/{name}.log")
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
        self._note(step)
        with self._lock:
            self._after(list(self._steps.values()))

    def _note(self, step: Step) -> None:
        with self._lock:
            self._steps[step.name] = step
            steps = [asdict(known) for known in self._steps.values()]
            with replacing(self.folder / STEPS) as file:
                file.write(json.dumps(steps, indent=1).encode())


def _is_newer(product: Path, made_of: tuple[Path, ...]) -> bool:
    """Whether a product is there, and no older than any of the files that it is made of."""
    if not product.exists():
        return False
    made = product.stat().st_mtime_ns
    return all(made >= path.stat().st_mtime_ns for path in made_of if path.exists())
