"""`kill -9` at any moment, then the same command: the same bytes, and no half file with a name."""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from generator.bank import Bank
from generator.build import Order, build
from tests.faults.builds import (
    assert_nobody_is_left,
    assert_nothing_is_half,
    command,
    contents,
    generator,
    order,
)

KILLS_OF_ONE, KILLS_OF_TWO_WORKERS = 20, 5
FEW = {"train": 11, "val": 2, "test": 2}
MANY = {"train": 150, "val": 10, "test": 20}
# The events before which something of a data set may change on the disk.
STEPS = {"open", "os.rename", "os.remove", "os.mkdir"}

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["generator.build"])


def build_alone(what: Order) -> None:
    build(what, workers=1)


def begin(
    what: Order, last_step: int | None = None, work: Callable[[Order], None] = build_alone
) -> BaseProcess:
    """Start a process that builds, with one worker, and dies before the step `last_step`."""
    process = _context.Process(target=_work, args=(work, what, last_step))
    process.start()
    return process


def _work(work: Callable[[Order], None], what: Order, last_step: int | None) -> None:
    steps = count()

    def step(event: str, arguments: tuple[object, ...]) -> None:
        if (
            event in STEPS
            and str(arguments[0]).startswith(str(what.folder))
            and next(steps) == last_step
        ):
            signal.raise_signal(signal.SIGKILL)

    sys.addaudithook(step)
    work(what)


def shards(folder: Path) -> int:
    return len(list(folder.glob("*.tar")))


def undisturbed(folder: Path, bank: Bank, splits: dict[str, int]) -> dict[str, str]:
    build(order(folder / "numbers", bank, splits=splits), workers=1)
    return contents(folder / "numbers")


def test_before_every_step_on_files(bank: Bank, tmp_path: Path) -> None:
    whole = undisturbed(tmp_path, bank, FEW)
    for step in count():
        what = order(tmp_path / str(step) / "numbers", bank, splits=FEW)
        process = begin(what, last_step=step)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        assert_nothing_is_half(what.folder, whole)
        build(what, workers=1)
        assert contents(what.folder) == whole
    assert step > 5 * len(whole)  # each file is opened, flushed, renamed, and its folder flushed


def test_at_random_moments(bank: Bank, tmp_path: Path) -> None:
    whole = undisturbed(tmp_path, bank, MANY)
    start = time.monotonic()
    begin(order(tmp_path / "timed" / "numbers", bank, splits=MANY)).join()
    lasts, kills, moments = time.monotonic() - start, 0, random.Random(1)
    for attempt in count():
        what = order(tmp_path / str(attempt) / "numbers", bank, splits=MANY)
        while True:
            process = begin(what)
            process.join(moments.uniform(0, lasts))
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
            assert_nothing_is_half(what.folder, whole)
        assert process.exitcode == 0
        assert contents(what.folder) == whole
        if kills >= KILLS_OF_ONE:
            break


def test_at_random_moments_with_workers(bank: Bank, tmp_path: Path) -> None:
    whole = undisturbed(tmp_path, bank, MANY)
    kills, sessions, moments = 0, [], random.Random(2)
    for attempt in count():
        folder = tmp_path / str(attempt) / "numbers"
        while True:
            process = generator(*command(folder, bank, 2, MANY))
            sessions.append(process.pid)
            wanted = shards(folder) + moments.randrange(12)
            while process.poll() is None and shards(folder) < wanted:
                time.sleep(0.001)
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGKILL)  # its workers have to notice
            process.communicate()
            kills += 1
            assert_nothing_is_half(folder, whole)
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
        assert contents(folder) == whole
        if kills >= KILLS_OF_TWO_WORKERS:
            break
    for session in sessions:
        assert_nobody_is_left(session)


def test_what_is_named_is_safely_on_disk(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is flushed under its temporary name, renamed, then its folder flushed."""
    done: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def flush(handle: int) -> None:
        done.append(("flush", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def rename(old: Path, new: Path) -> Path:
        done.append((old.name, new.name))
        return replace(old, new)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "replace", rename)
    build(order(tmp_path / "numbers", bank, splits=FEW), workers=1)
    files = [new for old, new in done if old != "flush"]
    assert files[0] == "plan.json"
    assert files[-1] == "manifest.json"
    assert sorted(files) == sorted([*contents(tmp_path / "numbers"), "plan.json"])
    for i, new in enumerate(files):
        (flushed, temporary), (old, _), (synced, folder) = done[3 * i : 3 * i + 3]
        assert (flushed, synced, folder) == ("flush", "flush", "numbers")
        assert old == temporary
        assert old.startswith(f".{new}.")
        assert old.endswith(".tmp")
