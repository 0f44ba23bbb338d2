"""Runs `generator build` in this fresh process; prints time and peak memory as JSON."""

import json
import resource
import sys
import threading
import time
from pathlib import Path

import cv2

from generator.cli import app

_SAMPLE_SECONDS = 0.05
# Resident, with mapped files and what is shared; what it has written itself.
_KINDS = {"Rss", "Private_Dirty"}


def main() -> None:
    """Build with the arguments of `generator build`; the first one says whether to sample memory.

    The last line says: `seconds` by the clock and `cpu` seconds of all processes together, neither
    with this process's start; and `peaks`, bytes by "main" or "worker" and kind (see _KINDS) of
    the one that had most of it, where Linux tells and it was asked for.
    """
    sample, arguments = sys.argv[1] == "sample", sys.argv[2:]
    cv2.setNumThreads(1)  # a worker is one thread, also where it is this process
    peak = _Peak()
    if sample:
        threading.Thread(target=peak.watch, daemon=True).start()
    start, cpu = time.perf_counter(), _cpu()
    app(["build", *arguments], standalone_mode=False)
    usage = {
        "seconds": time.perf_counter() - start,
        "cpu": _cpu() - cpu,
        "peaks": peak.of,
    }
    print(json.dumps(usage))


class _Peak:
    """The most bytes that this process, and that a child of it, has had."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, int]] = {"main": {}, "worker": {}}

    def watch(self) -> None:
        while True:
            self._look("main", "self")
            for child in _children():
                self._look("worker", child)
            time.sleep(_SAMPLE_SECONDS)

    def _look(self, who: str, process: str) -> None:
        pages, most = _pages(process), self.of[who]
        for kind in _KINDS & pages.keys():
            most[kind] = max(most.get(kind, 0), pages[kind])


def _children() -> list[str]:
    found: list[str] = []
    for path in Path("/proc/self/task").glob("*/children"):
        found += _read(path).split()
    return found


def _pages(process: str) -> dict[str, int]:
    """Bytes of a process by kind; empty when it has ended, or outside Linux."""
    lines = _read(Path(f"/proc/{process}/smaps_rollup")).splitlines()[1:]
    return {kind.rstrip(":"): 1024 * int(size) for kind, size, _ in map(str.split, lines)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has ended


def _cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


if __name__ == "__main__":
    main()
