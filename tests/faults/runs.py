"""What the tests of broken trainings share: the real command, and what a run has come to."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from trainer.checkpoint import BEST, LAST, read_tensors
from trainer.log import read_log

TRAINER = str(Path(sys.executable).with_name("trainer"))
CLOCK = {"images_per_second", "seconds"}  # of a log's records, what no two runs have alike


def command(data: Path, run: Path, *options: object) -> list[str]:
    """The command that trains nano on `data` into `run`."""
    return [TRAINER, "train", str(data), "--run", str(run), *map(str, options)]


def started(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a session of its own."""
    return subprocess.Popen(
        arguments,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def finished(*arguments: str, **options: Any) -> tuple[int, str, str]:
    """Run a command: its exit status, and what it said on either stream."""
    process = started(*arguments, **options)
    said = process.communicate(timeout=300)
    return process.returncode, *said


def updates(run: Path) -> int:
    """How many steps the last checkpoint of a run has behind it; 0 where there is none."""
    try:
        return int(json.loads((run / "last.json").read_text())["updates"])
    except FileNotFoundError:
        return 0


def curve(run: Path) -> list[dict[str, Any]]:
    """The log of a run without the times that it took."""
    return [{k: v for k, v in record.items() if k not in CLOCK} for record in read_log(run)]


def assert_same_weights(found: Path, wanted: Path) -> None:
    """Both checkpoints of two runs have the same tensors, to the bit."""
    for name in (LAST, BEST):
        ours, theirs = (read_tensors(run / name, torch.device("cpu")) for run in (found, wanted))
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            assert value.numpy().tobytes() == theirs[key].numpy().tobytes(), f"{name}: {key}"
