"""Labels that are none, and that CTC cannot place: told before the first step, with the key."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from shards.errors import UserError
from shards.layout import RECORD_BYTES
from shards.manifest import MANIFEST, read_manifest, write_manifest
from shards.writer import write_shard
from tests.faults.runs import command, finished
from tests.faults.sets import overwrite
from tests.trainer.conftest import draw_samples, write_data_set
from trainer import start as module
from trainer.config import Config
from trainer.ctc import ctc_loss
from trainer.models import MODELS, build_seeded, count_steps, ink_mask
from trainer.room import have_room
from trainer.start import start

FILE = "train-00000.tar"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_data_set(tmp_path / "set", {"test": 4, "val": 4, "train": 2400})


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Trainings that got as far as their first step, which is not taken."""
    begun: list[object] = []
    monkeypatch.setattr(module, "train", lambda *given: begun.append(given))
    return begun


def replace(folder: Path, **changes: object) -> None:
    """Change the entry of FILE, which the rest of the manifest then agrees with."""
    manifest = read_manifest(folder / MANIFEST)
    shards = [
        dataclasses.replace(entry, **changes) if entry.file == FILE else entry
        for entry in manifest.shards
    ]
    write_manifest(dataclasses.replace(manifest, shards=shards), folder / MANIFEST)


def write_blots(folder: Path, count: int, label: str = "11111") -> int:
    """Give the first `count` of FILE's images a blot of 1 px and a label; returns the first key."""
    entry = next(e for e in read_manifest(folder / MANIFEST).shards if e.file == FILE)
    samples = draw_samples(entry.count, 20)
    samples.images[:count] = 0
    samples.images[:count, 16, 60] = 255
    samples.digits[:count] = [int(digit) for digit in label.ljust(5, "9")]
    samples.digits[:count, len(label) :] = -1
    samples.ids[:] = np.where(samples.digits >= 0, 0, -1)
    written = write_shard(folder / FILE, samples, entry.first_key)
    replace(folder, sha256=written.sha256, json_sums=written.json_sums)
    return entry.first_key


def test_labels_that_are_not_those_of_their_images(folder: Path, begun, tmp_path: Path) -> None:
    key = write_blots(folder, 12)
    with pytest.raises(UserError) as refusal:
        start(folder, Config("nano"), tmp_path / "run", "cpu")
    named = "; ".join(f"{FILE}, sample {key + i:09}, 11111" for i in range(10))
    assert str(refusal.value) == (
        f"{folder}: 12 of 2,400 labels of train need more steps than the nano has near their ink: "
        f"{named}; and more; they are of other images: mend their labels or remove them"
    )
    assert not begun
    assert not (tmp_path / "run").exists()


def test_a_rare_one_is_said_and_trained_around(folder: Path, begun, tmp_path: Path, capsys) -> None:
    key = write_blots(folder, 2)
    start(folder, Config("nano"), tmp_path / "run", "cpu")
    assert (
        f"WARNING: {folder}: 2 of 2,400 labels of train need more steps than the nano has near "
        f"their ink: {FILE}, sample {key:09}, 11111; {FILE}, sample {key + 1:09}, 11111; they "
        "teach nothing\n"
    ) in capsys.readouterr().out
    assert len(begun) == 1


def test_labels_of_other_characters(folder: Path, tmp_path: Path) -> None:
    """By the command, in a set whose hashes are those of its files."""
    path, run = folder / FILE, tmp_path / "run"
    at = path.read_bytes().index(b".txt") // 512 * 512 + 512 + 7 * RECORD_BYTES
    overwrite(path, at, b"12a\0\0\0")
    replace(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    code, out, errors = finished(*command(folder, run))
    key = next(e for e in read_manifest(folder / MANIFEST).shards if e.file == FILE).first_key + 7
    assert (code, out) == (1, "")
    assert errors == (
        f"error: {path} has, at sample {key:09}, a label that is not 1 to 5 digits: it is damaged "
        "or no shard; fetch or build it again\n"
    )
    assert not run.exists()


@pytest.mark.parametrize("model", MODELS)
def test_a_label_has_room_where_ctc_finds_a_path(model: str) -> None:
    """The loss of a label is 0 just where it has no room."""
    random = np.random.default_rng(4)
    steps = count_steps(model)
    images = np.zeros((200, 32, 128), np.uint8)
    digits = np.full((200, 5), -1, np.int8)
    for row in range(200):
        for left in random.integers(0, 120, random.integers(1, 4)):
            images[row, 10:20, left : left + random.integers(1, 16)] = random.choice([30, 255])
        length = int(random.integers(3, 6))
        digits[row, :length] = random.integers(0, 2, length)
    room = have_room(images, digits, steps)
    logits = ink_mask(torch.from_numpy(images[:, None]) / 255, steps, 11)
    losses = [
        float(ctc_loss(one[None], label[None]))
        for one, label in zip(logits, torch.from_numpy(digits), strict=True)
    ]
    assert room.tolist() == [loss > 0 for loss in losses]
    assert 20 < room.sum() < 180
    with torch.no_grad():
        assert build_seeded(model, 0).eval()(torch.zeros(1, 1, 32, 128)).shape[1] == steps


def test_any_label_has_room_in_a_number_as_wide_as_the_canvas() -> None:
    images = np.full((1, 32, 128), 255, np.uint8)
    assert all(have_room(images, np.full((1, 5), 7, np.int8), count_steps(m)) for m in MODELS)
