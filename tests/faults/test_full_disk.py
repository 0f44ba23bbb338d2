"""A full disk: one sentence, what is published stays as it is, and the same command goes on."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from generator.bank import Bank
from generator.build import build
from shards.errors import UserError
from shards.pages.store import Kept, Store
from shards.strokes import Drawing
from tests.faults.builds import (
    assert_nobody_is_left,
    assert_nothing_is_half,
    command,
    contents,
    generator,
    order,
)
from tests.faults.disks import KINDS, Disk, SmallDisk
from trainer.config import Config
from trainer.ctc import Decoded
from trainer.metrics import evaluate
from trainer.report import write_report
from trainer.state import State

MANIFEST = SimpleNamespace(name="numbers", version="1.0.0", fingerprint="0" * 64)


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "disk").mkdir()
    disk = request.param(tmp_path / "disk")
    yield disk
    disk.free()
    if isinstance(disk, SmallDisk):
        disk.unmount()


def sentence(disk: Disk, name: str) -> str:
    return (
        f"{disk.folder / name} could not be written ({disk.says}); free some space, or name "
        "another folder"
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard(bank: Bank, disk: Disk, tmp_path: Path, workers: int) -> None:
    splits = {"train": 10, "val": 0, "test": 5}
    folder = disk.folder / "numbers"
    disk.leave(70_000)  # the shard of train has 72,704 bytes
    process = generator(*command(folder, bank, workers, splits))
    _, errors = process.communicate()
    disk.free()
    assert errors == f"error: {sentence(disk, 'numbers/train-00000.tar')}\n"
    assert process.returncode == 1
    assert_nobody_is_left(process.pid)

    build(order(tmp_path / "numbers", bank, splits=splits), workers=1)
    whole = contents(tmp_path / "numbers")
    assert_nothing_is_half(folder, whole)
    # Of two workers one may be stopped before the small shard is done.
    assert contents(folder).keys() - {"test-00000.tar"} == {"plan.json"}
    build(order(folder, bank, splits=splits), workers=1)
    assert contents(folder) == whole


def test_a_bank(disk: Disk, digit_folder: Path) -> None:
    path = disk.folder / "bank.h5"
    digits = ["digits", str(path), "--folder", str(digit_folder), "--no-custom"]
    assert generator(*digits).wait() == 0
    before = contents(disk.folder)
    size = path.stat().st_size
    for room in (0, 100_000, size - 20_000, size - 9000, size - 5000):  # pages are of 4096
        disk.leave(room)
        process = generator(*digits, "--val", "0.3")
        _, errors = process.communicate()
        disk.free()
        assert errors == f"error: {sentence(disk, 'bank.h5')}\n"
        assert process.returncode == 1
        assert contents(disk.folder) == before
    assert len(Bank(path)) == 200


def test_a_checkpoint(disk: Disk) -> None:
    path = disk.folder / "last.safetensors"
    state = State(Config("nano"), torch.device("cpu"))
    state.save(path, MANIFEST)
    before = contents(disk.folder)
    state.updates = 5
    disk.leave(500_000)
    with pytest.raises(UserError) as error:
        state.save(path, MANIFEST)
    disk.free()
    assert str(error.value) == sentence(disk, path.name)
    assert contents(disk.folder) == before
    assert State.load(path, torch.device("cpu")).updates == 0
    state.save(path, MANIFEST)
    assert State.load(path, torch.device("cpu")).updates == 5


def test_a_report(disk: Disk) -> None:
    data = SimpleNamespace(manifest=MANIFEST)
    truth = np.full((8, 5), -1, np.int8)
    truth[:, 0] = range(8)
    read = Decoded(truth, np.ones(8, np.int64), np.ones((8, 5)), np.ones(8))
    report = evaluate(read, truth), read, truth, data, "test"
    write_report(disk.folder, *report)
    before = contents(disk.folder)
    disk.leave(0)
    with pytest.raises(UserError) as error:
        write_report(disk.folder, *report)
    disk.free()
    assert str(error.value) == sentence(disk, "evaluation.json")
    assert contents(disk.folder) == before


def test_a_drawing(disk: Disk) -> None:
    store = Store(disk.folder)
    drawing = Drawing("7", 3.0, (np.random.default_rng(1).random((500, 2)) * 100,))
    store.save(Kept("a" * 32, "407", drawing, {}))
    before = contents(disk.folder)
    other = Kept("b" * 32, "407", drawing, {})
    disk.leave(0)
    with pytest.raises(UserError) as error:
        store.save(other)
    disk.free()
    assert str(error.value) == sentence(disk, "407_2.json")
    assert contents(disk.folder) == before
    assert store.save(other) == disk.folder / "407_2.png"
