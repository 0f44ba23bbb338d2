"""Ctrl-C and SIGTERM: all processes stop at once and say how to go on; the same command does."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.bank import Bank
from generator.build import build
from tests.faults.builds import (
    SHARDS,
    assert_nobody_is_left,
    assert_nothing_is_half,
    command,
    contents,
    generator,
    order,
    wait_until,
)

# Promised are two, which a machine busy with other tests may miss.
SECONDS = 20


def ctrl_c(process: int) -> None:
    os.killpg(process, signal.SIGINT)  # as a terminal does: to all processes in the foreground


def terminate(process: int) -> None:
    os.kill(process, signal.SIGTERM)


def terminate_all(process: int) -> None:
    os.killpg(process, signal.SIGTERM)  # as a service manager does


@pytest.mark.parametrize(
    ("stop", "workers"),
    [(ctrl_c, 1), (ctrl_c, 2), (terminate, 2), (terminate_all, 2)],
)
def test_a_build_stops_and_goes_on(
    bank: Bank, tmp_path: Path, stop: Callable[[int], None], workers: int
) -> None:
    folder = tmp_path / "numbers"
    # A sample of the fourth shard takes an hour: nobody can wait for it.
    process = generator(*command(folder, bank, workers), fault="hang", key=35)
    wait_until(lambda: all((folder / shard).exists() for shard in SHARDS[:3]))
    stop(process.pid)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert errors == f"stopped; the same command goes on from the shards in {folder}\n"
    assert_nobody_is_left(process.pid)

    build(order(tmp_path / "undisturbed" / "numbers", bank), workers=1)
    whole = contents(tmp_path / "undisturbed" / "numbers")
    assert_nothing_is_half(folder, whole)
    assert not list(folder.glob(".*"))
    kept = (folder / SHARDS[0]).stat().st_mtime_ns
    build(order(folder, bank), workers=1)
    assert contents(folder) == whole
    assert (folder / SHARDS[0]).stat().st_mtime_ns == kept


def test_ctrl_c_while_workers_start(bank: Bank, tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    process = generator(*command(folder, bank, 2), fault="hang", key=0)
    wait_until((folder / "plan.json").exists)
    ctrl_c(process.pid)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert errors.startswith("stopped; ")
    assert errors.count("\n") == 1
    assert_nobody_is_left(process.pid)
