"""Training that is killed or stopped: going on ends with the very weights and loss curve."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.builds import assert_nobody_is_left, wait_until
from tests.faults.runs import assert_same_weights, command, curve, finished, started, updates
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import LAST

KILLS = 3
STEPS = 128  # two epochs of 64, with a line of the log after 50 and 100
OPTIONS = ("--batch", 4, "--epochs", 2, "--threads", 1, "--save-seconds", 0.1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "printed"
    return write_data_set(folder, {"test": 2, "val": 32, "train": 256})


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    assert finished(*command(data, run, *OPTIONS))[0] == 0
    return run


def test_killed_at_random_steps(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    run, moments = tmp_path / "run", random.Random(11)
    steps = [0, *sorted(moments.sample(range(1, STEPS), KILLS - 1))]
    for step in steps:
        resume = ["--resume"] if (run / LAST).exists() else []
        process = started(*command(data, run, *OPTIONS, *resume))
        wait_until(lambda step=step: updates(run) >= step and (run / "log.jsonl").exists())
        time.sleep(moments.uniform(0, 0.05))  # so that it may be anywhere within a step
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert_nobody_is_left(process.pid)
    assert 0 < updates(run) < STEPS
    code, _, errors = finished(*command(data, run, *OPTIONS, "--resume"))
    assert (code, errors) == (0, "")
    assert_same_weights(run, undisturbed)
    assert [record["step"] for record in curve(run)] == [50, 64, 100, 128]
    assert curve(run) == curve(undisturbed)
    assert not [path.name for path in run.glob(".*")]
    print(f"killed at steps {steps} and later: {STEPS} steps with the same bits")


def test_stopped_by_ctrl_c_and_by_sigterm(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    run, resume = tmp_path / "run", []
    for stop, step in ((signal.SIGINT, 10), (signal.SIGTERM, 80)):
        process = started(*command(data, run, *OPTIONS, *resume))
        wait_until(lambda step=step: updates(run) >= step)
        os.killpg(process.pid, stop)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert errors == f"stopped; the same command with --resume goes on from {run / LAST}\n"
        assert_nobody_is_left(process.pid)
        assert not [path.name for path in run.glob(".*")]
        resume = ["--resume"]
    assert finished(*command(data, run, *OPTIONS, *resume))[0] == 0
    assert_same_weights(run, undisturbed)
    assert curve(run) == curve(undisturbed)
