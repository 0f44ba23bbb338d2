"""Going on with other settings than those of the cut-off build: refused, with the difference."""

from dataclasses import replace
from pathlib import Path

import pytest

from generator.bank import Bank, build_bank
from generator.build import Order, build
from generator.recipe import preset
from generator.sources.folder import read_folder
from generator.stream import BankStream
from shards.errors import UserError
from tests.faults.builds import PRESET, SPLITS, command, contents, generator, order
from tests.faults.faulty import FaultyStream


@pytest.fixture
def cut_off(bank: Bank, tmp_path: Path) -> Order:
    """A build that ended in its third shard."""
    what = order(tmp_path / "numbers", bank)
    stream = FaultyStream(bank, preset(PRESET), 1, "refuse", 25)
    with pytest.raises(UserError, match="too wide"):
        build(replace(what, stream=stream), workers=1)
    return what


def test_another_seed_recipe_size_or_bank_is_refused(
    cut_off: Order, bank: Bank, digit_folder: Path, tmp_path: Path
) -> None:
    before = contents(cut_off.folder)
    assert set(before) == {"plan.json", "test-00000.tar", "test-00001.tar"}
    recipe = preset(PRESET).override(["gap=0:1"])
    other = build_bank(tmp_path / "other.h5", [read_folder(digit_folder, "MIT", 0.3, 0.2)])
    changes = {
        r"seed \(1, now 2\)": {"stream": BankStream(bank, preset(PRESET), 2)},
        r"recipe gap \(\[.*\], now \[0.0, 1.0\]\)": {"stream": BankStream(bank, recipe, 1)},
        r"splits train \(60, now 70\)": {"splits": SPLITS | {"train": 70}},
        "shard size": {"shard_size": 20},
        "digit sources": {"stream": BankStream(other, preset(PRESET), 1)},
    }
    for difference, change in changes.items():
        with pytest.raises(UserError, match=f"differs in {difference}; build into an empty folder"):
            build(replace(cut_off, **change), workers=1)
        assert contents(cut_off.folder) == before
    build(cut_off, workers=1)
    assert "manifest.json" in contents(cut_off.folder)


def test_the_command_says_so_in_one_sentence(cut_off: Order, bank: Bank) -> None:
    process = generator(*command(cut_off.folder, bank, 2), "--seed=7")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors == (
        f"error: {cut_off.folder} holds another data set, which differs in seed (1, now 7); build "
        "into an empty folder, or with the same settings to go on\n"
    )
