"""A reader with its checker beside it, and a drawing to read."""

from pathlib import Path

import numpy as np
import pytest

from scripts.golden import ink, write
from trainer.kit import find_model


@pytest.fixture(scope="session")
def model() -> Path:
    """The nano that ships, in 8 bits: reader.onnx, checker.onnx and what is beside them."""
    return find_model("nano")


@pytest.fixture(scope="session")
def drawing() -> np.ndarray:
    """407 by a model hand, dark on light, uint8 (150, 340)."""
    return 255 - ink(write("407", 120, 1), 12, 340, 150)
