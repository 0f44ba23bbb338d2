"""Exports that read otherwise than the run, 8-bit files that lose too much: nothing is replaced."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from tests.faults.builds import contents
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import BEST
from trainer.config import Config
from trainer.export import export
from trainer.quantize import quantize
from trainer.state import State

TRAINER = str(Path(sys.executable).with_name("trainer"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    splits = {"test": 32, "val": 32, "train": 2}
    return DataSet(write_data_set(tmp_path_factory.mktemp("data") / "printed", splits))


def write_run(folder: Path, data: DataSet, scale: float) -> Path:
    """A run of random weights whose logits are `scale` times as large."""
    state = State(Config("nano"), torch.device("cpu"))
    with torch.no_grad():
        state.average.sequence.weight.mul_(scale)
    folder.mkdir()
    state.save(folder / BEST, data.manifest)
    return folder


@pytest.fixture(scope="module")
def run(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run") / "sound", data, 30)


@pytest.fixture(scope="module")
def exported(run: Path, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sound files, float and 8-bit, that no failure may touch."""
    folder = tmp_path_factory.mktemp("exported")
    export(run, folder, data, 32)
    quantize(folder, data, 1, 32)
    assert len(contents(folder)) == 9
    return folder


def refused(*command: str | Path) -> str:
    """The one sentence with which the command ends."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=Path(__file__).parents[2],
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_loss_over_the_limit(exported: Path, data: DataSet) -> None:
    before = contents(exported)
    said = refused(TRAINER, "quantize", exported, data.folder, "--max-drop=-1")
    assert "quantization lowers accuracy from 0." in said
    assert "by more than -1.0; nothing was written; train longer, or quantize with" in said
    assert contents(exported) == before
    with pytest.raises(UserError, match="by more than nan; nothing was written"):
        quantize(exported, data, float("nan"), 8)
    assert contents(exported) == before


def test_logits_that_differ_from_torchs(exported: Path, data: DataSet, tmp_path: Path) -> None:
    """Logits of millions, of which float32 keeps two decimals, in whichever order it adds."""
    before = contents(exported)
    run = write_run(tmp_path / "large", data, 1e7)
    said = refused(TRAINER, "export", run, exported, "--data", data.folder)
    assert "the exported file differs from torch by " in said
    assert "in a logit, where 0.001 is the limit" in said
    assert "nothing was written; try another version of torch or onnxruntime" in said
    assert contents(exported) == before


def test_logits_that_agree_and_numbers_that_differ(exported, run, data) -> None:
    before = contents(exported)
    command = [sys.executable, "-m", "tests.faults.faulty_export", "export", run, exported]
    said = refused(*command, "--data", data.folder)
    apart, others = re.search(r"by (\S+) in a logit.* and in (\d+) of 32 numbers", said).groups()
    assert float(apart) <= 0.001
    assert 1 <= int(others) <= 32
    assert contents(exported) == before
