"""One sample of a data set drawn again, and compared with what is stored."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from generator.bank import Bank, build_bank
from generator.build import build
from generator.cli_shards import regenerate as command
from generator.extend import extend
from generator.plan import Order, tools
from generator.recipe import preset
from generator.regenerate import regenerate
from generator.runners import Processes
from generator.sources.folder import read_folder
from generator.stream import BankStream
from shards import cli
from shards.errors import UserError
from shards.layout import RECORD, RECORD_BYTES
from shards.reader import DataSet
from tests.faults.builds import order
from tests.faults.sets import overwrite

KEY = 47  # of train-00001.tar, whose first key is 40
PNG, TXT, JSON = (RECORD.fields[name][1] for name in ("png", "txt", "json"))


@pytest.fixture
def folder(bank: Bank, tmp_path: Path) -> Path:
    build(order(tmp_path / "numbers", bank))
    return tmp_path / "numbers"


def spoil(folder: Path, offset: int, data: bytes) -> None:
    overwrite(folder / "train-00001.tar", 7 * RECORD_BYTES + offset, data)


def test_every_sample_comes_back(folder: Path, bank: Bank) -> None:
    data = DataSet(folder)
    for entry in data.manifest.shards:
        found = regenerate(folder, bank.path, entry.first_key + 3)
        assert (found.file, found.differences) == (entry.file, [])
        images, _ = data.gather(entry.split, np.arange(data.count(entry.split)))
        assert (images == found.image).all(axis=(1, 2)).any()


def test_so_does_an_added_one(folder: Path, bank: Bank) -> None:
    extend(folder, bank.path, {"val": 10}, 10, Processes(1))
    found = regenerate(folder, bank.path, 95)
    assert (found.file, found.differences) == ("val-00001.tar", [])


@pytest.mark.parametrize(
    ("offset", "data", "difference"),
    [
        (PNG + 41 + 7 + 129 * 16 + 64, b"\x07", "the image differs in 1 of 4,096 pixels, by "),
        (TXT, b"x", "the txt says x"),
        (JSON + 10, b"x", 'the json says {"label":"x'),
        (3, b"9", "its png header key differs"),
        (300, b"9", "its png header rest differs"),
    ],
)
def test_what_differs_is_told(
    folder: Path, bank: Bank, offset: int, data: bytes, difference: str
) -> None:
    spoil(folder, offset, data)
    found = regenerate(folder, bank.path, KEY).differences
    assert found[0].startswith(difference)
    assert found[1].startswith("the versions are those that made it: the record was changed")
    assert len(found) == 2


def test_versions_that_differ_are_named_by_the_stage_of_the_sample(
    folder: Path, bank: Bank
) -> None:
    extend(folder, bank.path, {"train": 10}, 10, Processes(1))
    text = (folder / "manifest.json").read_text()
    data = json.loads(text)
    data["tools"] |= {"numpy": "1.0", "mathlib": "7"}
    (folder / "manifest.json").write_text(json.dumps(data))
    spoil(folder, TXT, b"x")
    overwrite(folder / "train-00006.tar", TXT, b"x")
    assert regenerate(folder, bank.path, KEY).differences[-1] == (
        f"mathlib 7 made it, none is here, numpy 1.0 made it, {tools()['numpy']} is here"
    )
    assert "versions are those" in regenerate(folder, bank.path, 90).differences[-1]


def test_what_cannot_be_drawn_again_is_refused(
    folder: Path, bank: Bank, digit_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no sample 90: the keys of numbers are 0 to 89"):
        regenerate(folder, bank.path, 90)
    other = build_bank(tmp_path / "other.h5", [read_folder(digit_folder, "MIT", 0.3, 0.2)])
    with pytest.raises(UserError, match="has not the digits that numbers was made of, pens .200."):
        regenerate(folder, other.path, KEY)
    (folder / "train-00001.tar").unlink()
    with pytest.raises(UserError, match=r"train-00001\.tar is missing"):
        regenerate(folder, bank.path, KEY)


def test_the_pen_model_is_in_no_bank_but_must_be_the_same(
    bank: Bank, digit_folder: Path, tmp_path: Path
) -> None:
    stream = BankStream(bank, preset("written"), 1)
    build(Order(tmp_path / "mine", stream, {"train": 5}, 10))
    assert regenerate(tmp_path / "mine", bank.path, 3).differences == []
    other = build_bank(tmp_path / "other.h5", [read_folder(digit_folder, "MIT", 0.3, 0.2)])
    with pytest.raises(UserError, match="that mine was made of, pens .200.; name the bank"):
        regenerate(tmp_path / "mine", other.path, 3)
    data = json.loads((tmp_path / "mine/manifest.json").read_text())
    data["sources"][1]["sha256"] = "ab" * 32
    data["tools"]["digit-readers"] = "0.1.0"
    (tmp_path / "mine/manifest.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="pen model that wrote for mine .*; install .*-readers 0"):
        regenerate(tmp_path / "mine", bank.path, 3)


def test_the_command_proves_and_draws(folder: Path, bank: Bank, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    arguments = [str(folder), "--key", str(KEY), "--bank", str(bank.path)]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "it.png")])
    assert result.exit_code == 0
    assert "sample 000000047 of train-00001.tar, " in result.stdout
    assert "rendered again, equal in all 7,168 bytes" in result.stdout
    stored = DataSet(folder).gather("train", np.array([17]))[0][0]
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "it.png")), stored)
    spoil(folder, TXT, b"x")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "sample 000000047 of train-00001.tar: the txt says x" in result.stdout


def test_shards_takes_it_in_by_its_entry_point(
    folder: Path, bank: Bank, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point = EntryPoint("again", "generator.cli_shards:regenerate", "shards.commands")
    monkeypatch.setattr(cli, "entry_points", lambda group: [point] * (group == point.group))
    monkeypatch.setattr(cli, "app", typer.Typer())
    cli.app.callback()(lambda: None)
    cli._add_commands_of_others()
    with pytest.raises(SystemExit) as ended:
        cli.app(["again", str(folder), "--key", "47", "--bank", str(bank.path)])
    assert ended.value.code == 0
    assert "equal in all 7,168 bytes" in capsys.readouterr().out
