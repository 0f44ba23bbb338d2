"""Digits that tests of more than one package use."""

import gzip
import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Chrome

from generator.bank import Bank, build_bank
from generator.pen import draw_digits
from generator.sources import mnist
from generator.sources.folder import read_folder
from tests.browser import Strokes, chromium


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def mnist_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four small idx files in MNIST's format, half of them compressed, with their hashes."""
    rng = np.random.default_rng(0)
    hashes = {}
    for part, count in (("train", 200), ("t10k", 40)):
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 6:22, 10:18] = rng.integers(100, 256, (count, 16, 8))
        labels = (np.arange(count) % 10).astype(np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
        hashes[f"{part}-images-idx3-ubyte"] = hashlib.sha256(idx(images)).hexdigest()
        hashes[f"{part}-labels-idx1-ubyte"] = hashlib.sha256(idx(labels)).hexdigest()
    monkeypatch.setattr(mnist, "SHA256", hashes)
    return tmp_path


@pytest.fixture(scope="session")
def digit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real folder of PNGs: 10 model writers, two of each digit each."""
    folder = tmp_path_factory.mktemp("digits") / "pens"
    for drawn in draw_digits(10, 2, seed=3):
        path = folder / str(drawn.digit) / f"{drawn.writer}_{drawn.n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn.image).save(path)
    return folder


@pytest.fixture(scope="session")
def bank(digit_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    source = read_folder(digit_folder, "MIT", val=0.2, test=0.2)
    return build_bank(tmp_path_factory.mktemp("bank") / "bank.h5", [source])


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A headless Chromium for all tests of pages."""
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="session")
def hand() -> dict[int, Strokes]:
    """The strokes of ten digits by a model hand, one high, y down."""
    text = Path(__file__).with_name("strokes.json").read_text()
    return {int(label): strokes for label, strokes in json.loads(text).items()}
