import pytest

from generator.bank import Bank
from generator.engine import render
from generator.recipe import preset
from shards.record import Samples

# Settings of `child` that leave nothing on the canvas but whole digits.
PLAIN = [
    *("reference=0", "uneven=0", "broken=0", "specked=0", "doodled=0"),
    *("marked=0", "strayed=0", "ruled=0", "scanned=0"),
]
COUNT = 600


@pytest.fixture(scope="module")
def filling(bank: Bank) -> Samples:
    """Numbers as large as fit() makes them."""
    return render(bank, "train", preset("child").override([*PLAIN, "anywhere=0"]), 1, 0, COUNT)


@pytest.fixture(scope="module")
def small(bank: Bank) -> Samples:
    looks = preset("child").override([*PLAIN, "anywhere=1", "size=0.4:0.8"])
    return render(bank, "train", looks, 1, 0, COUNT)
