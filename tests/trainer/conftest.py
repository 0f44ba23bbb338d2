"""A tiny data set of printed numbers, and a nano with random weights that reads digits in it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from shards.manifest import FORMAT, MANIFEST, Manifest, fingerprint, histograms, write_manifest
from shards.reader import DataSet
from shards.record import Samples
from shards.writer import write_shard
from trainer.checkpoint import BEST
from trainer.config import Config
from trainer.state import State

SPLITS = {"test": 64, "val": 64, "train": 256}
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def draw(label: str, random: np.random.Generator) -> np.ndarray:
    """uint8 (32, 128): `label` printed at the right, 1 to 3 px thick."""
    image = np.zeros((32, 128), np.uint8)
    thickness = int(random.integers(1, 4))
    x = 124 - 23 * len(label) + int(random.integers(-3, 4))
    cv2.putText(image, label, (x, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, thickness, cv2.LINE_AA)
    return image


def draw_samples(count: int, seed: int) -> Samples:
    random = np.random.default_rng(seed)
    digits = np.full((count, 5), -1, np.int8)
    images = np.zeros((count, 32, 128), np.uint8)
    for row in range(count):
        length = int(random.integers(1, 6))
        digits[row, :length] = random.integers(0, 10, length)
        images[row] = draw("".join(map(str, digits[row, :length])), random)
    boxes = np.zeros((count, 5, 4), np.int16)
    ids = np.where(digits >= 0, 0, -1).astype(np.int64)
    return Samples(images, digits, boxes, ids)


def write_data_set(folder: Path, splits: dict[str, int] = SPLITS, name: str = "printed") -> Path:
    folder.mkdir()
    entries, key, all_digits = [], 0, []
    for seed, (split, count) in enumerate(splits.items()):
        for number, part in enumerate((count // 2, count - count // 2)):
            samples = draw_samples(part, 10 * seed + number)
            path = folder / f"{split}-{number:05}.tar"
            entries.append(write_shard(path, samples, key))
            key += part
            all_digits.append(samples.digits)
    decisive = {"seed": 0, "recipe": {"drawn": name}, "splits": splits, "sources": [], "tools": {}}
    manifest = Manifest(
        format=FORMAT,
        name=name,
        version="1.0.0",
        shards=entries,
        histograms=histograms(np.concatenate(all_digits)),
        fingerprint=fingerprint(**decisive, shard_size=splits["train"] // 2),
        **decisive,
    )
    write_manifest(manifest, folder / MANIFEST)
    return folder


@pytest.fixture(scope="session", params=DEVICES)
def device(request: pytest.FixtureRequest) -> torch.device:
    return torch.device(request.param)


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return DataSet(write_data_set(tmp_path_factory.mktemp("data") / "printed"))


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, printed: DataSet) -> Path:
    """A run folder whose best checkpoint emits many digits, though it has learned nothing."""
    state = State(Config("nano"), torch.device("cpu"))
    with torch.no_grad():
        state.average.sequence.weight.mul_(30)
    folder = tmp_path_factory.mktemp("run")
    state.save(folder / BEST, printed.manifest)
    return folder
