"""Training takes no step on shards that are not, bit for bit, those of the manifest."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shards.errors import UserError
from tests.faults.sets import overwrite
from tests.trainer.conftest import write_data_set
from trainer import start as module
from trainer.checkpoint import LAST, read_header
from trainer.config import Config
from trainer.start import start

CONFIG = Config("nano", epochs=1, batch=8, val_images=4)
TRAIN = "train-00001.tar"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_data_set(tmp_path / "set", {"test": 4, "val": 8, "train": 24})


@pytest.fixture
def no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "train", lambda *_: pytest.fail("a step was taken"))


def flip(folder: Path, file: str) -> None:
    overwrite(folder / file, 5000, b"\1")


def cut(folder: Path, file: str) -> None:
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[:-7168])


def swap(folder: Path, file: str) -> None:
    shutil.copy(folder / "train-00000.tar", folder / file)


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("damage", "file", "message"),
    [
        (flip, TRAIN, f"{TRAIN} has SHA-256"),
        (flip, "val-00000.tar", "val-00000.tar has SHA-256"),
        (cut, TRAIN, f"{TRAIN} has 79872 bytes, .*: it is cut off in sample 000000035"),
        (swap, TRAIN, f"{TRAIN} has the bytes of train-00000.tar"),
    ],
)
def test_damaged_shards_are_refused(
    folder: Path, no_step: None, tmp_path: Path, damage: Callable, file: str, message, partial
) -> None:
    damage(folder, file)
    with pytest.raises(UserError, match=rf"{message}.*; see shards verify .*again$"):
        start(folder, CONFIG, tmp_path / "run", "cpu", allow_partial=partial)
    assert not (tmp_path / "run").exists()


def test_a_damaged_test_split_does_not_stop_training(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    monkeypatch.setattr(module, "train", lambda *given: begun.append(given))
    flip(folder, "test-00000.tar")
    start(folder, CONFIG, tmp_path / "run", "cpu")
    assert len(begun) == 1


def test_missing_shards_are_refused_unless_allowed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aside, run = (folder / TRAIN).rename(tmp_path / "aside"), tmp_path / "run"
    with pytest.raises(UserError, match=f"{TRAIN} is missing.*on the rest by --allow-partial"):
        start(folder, CONFIG, run, "cpu")
    start(folder, CONFIG, run, "cpu", allow_partial=True)
    out = capsys.readouterr().out
    assert f"WARNING: {folder} lacks 1 of its shards ({TRAIN}) with 12 images" in out
    assert "training on the other 12, called 1.0.0+partial" in out
    header = read_header(run / LAST)
    assert header.data == "printed 1.0.0+partial"
    assert header.updates == 1  # of a batch of 8 of 12
    start(folder, CONFIG, run, "cpu", resume=True, allow_partial=True)
    aside.rename(folder / TRAIN)
    with pytest.raises(UserError, match=r"was trained on printed 1\.0\.0\+partial, other data"):
        start(folder, CONFIG, run, "cpu", resume=True)


def test_a_split_without_shards_is_refused(folder: Path, no_step: None, tmp_path: Path) -> None:
    for path in folder.glob("val-*.tar"):
        path.unlink()
    with pytest.raises(UserError, match="no shard of the split 'val' left"):
        start(folder, CONFIG, tmp_path / "run", "cpu", allow_partial=True)


def test_the_command_says_so(folder: Path, tmp_path: Path) -> None:
    flip(folder, TRAIN)
    run = tmp_path / "run"
    done = subprocess.run(
        [Path(sys.executable).with_name("trainer"), "train", folder, "--run", run],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {folder}: {TRAIN} has SHA-256")
    assert done.stderr.count("\n") == 1
    assert not run.exists()
