from pathlib import Path

import pytest
from PIL import Image

from generator.bank import Bank, build_bank
from generator.pen import draw_digits
from generator.sources.folder import read_folder


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
