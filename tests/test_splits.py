"""Whoever tests a reader has not taught it: proved from the ids in the shards."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from generator.bank import Bank, build_bank
from generator.build import Order, build
from generator.recipe import preset
from generator.sources.mnist import read_mnist
from generator.sources.strokes import read_strokes
from generator.stream import BankStream
from generator.strokes import StrokeStream
from shards.errors import UserError
from shards.reader import DataSet
from shards.verify import verify
from trainer.config import Config
from trainer.start import start

TESTERS = {"0900", "0901"}


@pytest.fixture
def bank(mnist_folder: Path, tmp_path: Path) -> Bank:
    """MNIST in small: 20 writers of the training part, two of the test part."""
    train, test = np.arange(200) // 10, 900 + np.arange(40) // 20
    np.savez(mnist_folder / "writers.npz", train_writer=train, test_writer=test)
    return build_bank(tmp_path / "bank.h5", [read_mnist(mnist_folder, val=0.2)])


def digits_of(data: DataSet, split: str) -> np.ndarray:
    """The bank ids of all digits in the images of a split."""
    ids = np.concatenate([shard.boxes_and_ids()[1] for shard in data.shards(split)])
    return np.unique(ids[ids >= 0])


def writers_of(data: DataSet, ids: np.ndarray) -> set[tuple[str, str]]:
    """Source and name of whoever wrote these digits, by the manifest."""
    return {
        (source["name"], name)
        for source in data.manifest.sources
        for name, _, first, stop in source["writers"]
        if ((first <= ids) & (ids < stop)).any()
    }


def test_no_digit_and_no_writer_is_in_two_splits(bank: Bank, tmp_path: Path) -> None:
    sizes = {"train": 300, "val": 100, "test": 100}
    build(Order(tmp_path / "set", BankStream(bank, preset("child"), 1), sizes, 100), workers=1)
    assert verify(tmp_path / "set") == []
    data = DataSet(tmp_path / "set")
    used = {split: digits_of(data, split) for split in sizes}
    writers = {split: writers_of(data, ids) for split, ids in used.items()}
    # Ids beyond the bank are those of model hands, who write anew each time.
    pictures = {
        split: {bank.images[i].tobytes() for i in ids[ids < len(bank)]}
        for split, ids in used.items()
    }
    for one, other in combinations(sizes, 2):
        assert not np.intersect1d(used[one], used[other]).size
        assert not writers[one] & writers[other]
        assert not pictures[one] & pictures[other]
    assert {name for source, name in writers["test"] if source == "mnist"} == TESTERS
    assert len(writers["train"]) > 10
    assert len(pictures["train"]) > 100


def test_digits_drawn_as_strokes_test_and_never_train(tmp_path: Path) -> None:
    lines = [
        {"label": digit, "writer": writer, "strokes": [[[0, 0], [3 + digit, 10]]]}
        for writer in ("anna", "ben")
        for digit in range(10)
    ]
    file = tmp_path / "digits.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stream, folder = StrokeStream(read_strokes(file, "tablet", "MIT"), 1), tmp_path / "tablet"
    with pytest.raises(UserError, match="strokes make a test split alone, not train"):
        build(Order(folder, stream, {"train": 5}, 10), workers=1)
    build(Order(folder, stream, {"test": 30}, 10), workers=1)
    assert verify(folder) == []
    assert DataSet(folder).manifest.splits == {"test": 30}
    assert digits_of(DataSet(folder), "test").max() <= len(lines)
    with pytest.raises(UserError, match="has no split 'train': it has test"):
        start(folder, Config("nano"), tmp_path / "run")
    assert not list(tmp_path.rglob("*.safetensors"))
