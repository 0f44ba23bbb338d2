"""What the tests of broken builds share: a small data set, its command, and who is still alive."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from generator.bank import Bank
from generator.build import Order
from generator.recipe import preset
from generator.stream import BankStream

PATIENCE = 120  # seconds until a test gives up on what should take less than one
SHARD_SIZE = 10
PRESET = "tiny"
SPLITS = {"train": 60, "val": 10, "test": 20}
SHARDS = ["test-00000.tar", "test-00001.tar", "val-00000.tar"] + [
    f"train-0000{i}.tar" for i in range(6)
]


def order(folder: Path, bank: Bank, seed: int = 1, splits: dict[str, int] = SPLITS) -> Order:
    return Order(folder, BankStream(bank, preset(PRESET), seed), splits, SHARD_SIZE)


def command(folder: Path, bank: Bank, workers: int, splits: dict[str, int] = SPLITS) -> list[str]:
    """The command that builds `order(folder, bank)`."""
    options = {
        "bank": bank.path,
        "preset": PRESET,
        "workers": workers,
        "shard-size": SHARD_SIZE,
        "count": splits["train"],
        "val": splits["val"],
        "test": splits["test"],
    }
    return ["build", str(folder), *(f"--{name}={value}" for name, value in options.items())]


def generator(*arguments: str, fault: str = "", key: int = 0) -> subprocess.Popen[str]:
    """Start `generator` in a session of its own; with `fault`, so that it fails at sample `key`."""
    program = [str(Path(sys.executable).with_name("generator"))]
    if fault:
        program = [sys.executable, "-m", "tests.faults.faulty", fault, str(key)]
    return subprocess.Popen(
        [*program, *arguments],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file of a folder, hidden ones included."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def assert_nothing_is_half(folder: Path, whole: dict[str, str]) -> None:
    """Every file that has a name of the data set is as in the undisturbed one, `whole`."""
    found = contents(folder) if folder.exists() else {}
    named = {n: h for n, h in found.items() if not n.startswith(".") and n != "plan.json"}
    assert named.items() <= whole.items()
    if "manifest.json" in named:
        assert named == whole


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def alive(session: int) -> list[str]:
    """The command lines of the processes in a session that have not ended."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return found


def assert_nobody_is_left(session: int) -> None:
    wait_until(lambda: not alive(session))
