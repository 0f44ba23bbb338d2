"""A data set to which samples are added, and samples drawn again."""

import json
from pathlib import Path

import numpy as np
import pytest

from generator import extend as extending
from generator.bank import Bank, build_bank
from generator.build import build
from generator.engine import render
from generator.extend import extend
from generator.plan import Order
from generator.recipe import preset
from generator.runners import Processes
from generator.sources.folder import read_folder
from generator.sources.strokes import read_strokes
from generator.strokes import StrokeStream
from shards.errors import UserError
from shards.manifest import read_manifest
from shards.reader import DataSet
from shards.verify import verify
from tests.faults.builds import PRESET, SHARD_SIZE, contents, order

MORE = {"train": 25, "test": 10}
NEW = ["test-00002.tar", "train-00006.tar", "train-00007.tar", "train-00008.tar"]


@pytest.fixture
def folder(bank: Bank, tmp_path: Path) -> Path:
    build(order(tmp_path / "numbers", bank))
    return tmp_path / "numbers"


def add(folder: Path, bank: Bank, splits: dict[str, int] = MORE, workers: int = 1) -> None:
    extend(folder, bank.path, splits, SHARD_SIZE, Processes(workers))


def test_old_files_stay_and_keys_go_on(folder: Path, bank: Bank) -> None:
    before = contents(folder)
    times = {p.name: p.stat().st_mtime_ns for p in folder.glob("*.tar")}
    add(folder, bank)
    assert {p.name: p.stat().st_mtime_ns for p in folder.glob("*.tar")}.items() > times.items()
    after = contents(folder)
    assert sorted(after.keys() - before.keys()) == NEW
    manifest = DataSet(folder).manifest
    assert (manifest.version, manifest.format) == ("1.1.0", 2)
    assert manifest.splits == {"test": 30, "val": 10, "train": 85}
    assert sum(manifest.histograms["lengths"].values()) == 125
    assert [entry.first_key for entry in manifest.shards[-4:]] == [90, 100, 110, 120]
    assert verify(folder) == []


def test_new_samples_are_those_of_seed_and_key(folder: Path, bank: Bank) -> None:
    add(folder, bank)
    data = DataSet(folder)
    images, _ = data.gather("train", np.arange(60, 85))
    expected = render(bank, "train", preset(PRESET), 1, 100, 25).images
    np.testing.assert_array_equal(images, expected)
    assert data.keys("test", np.array([19, 20, 29])).tolist() == [19, 90, 99]


def test_fingerprint_and_bytes_depend_on_what_was_added_alone(
    folder: Path, bank: Bank, tmp_path: Path
) -> None:
    add(folder, bank, workers=2)
    build(order(tmp_path / "again" / "numbers", bank))
    add(tmp_path / "again" / "numbers", bank)
    assert contents(folder) == contents(tmp_path / "again" / "numbers")
    add(folder, bank, {"val": 5})
    found = read_manifest(folder / "manifest.json")
    assert found.version == "1.2.0"
    assert [addition.splits for addition in found.additions] == [
        {"test": 10, "train": 25},
        {"val": 5},
    ]
    assert verify(folder) == []


def test_a_split_that_was_not_there(bank: Bank, tmp_path: Path) -> None:
    build(order(tmp_path, bank, splits={"train": 20}))
    add(tmp_path, bank, {"val": 10})
    assert DataSet(tmp_path).manifest.splits == {"val": 10, "train": 20}
    assert verify(tmp_path) == []


def test_done_but_for_the_plan_is_done(folder: Path, bank: Bank) -> None:
    add(folder, bank)
    whole = contents(folder)
    (folder / "plan.json").write_bytes((folder / "manifest.json").read_bytes())
    add(folder, bank)
    assert contents(folder) == whole
    add(folder, bank)
    assert DataSet(folder).manifest.version == "1.2.0"


def test_while_it_is_added_to_others_are_refused(
    folder: Path, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extending, "finish", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(folder, bank)
    before = contents(folder)
    assert set(NEW) | {"plan.json"} <= before.keys()
    with pytest.raises(
        UserError, match="is being added to, 10 test, 25 train in shards of 10 with .*; run that"
    ):
        add(folder, bank, {"train": 5})
    build(order(folder, bank))  # which is whole
    assert contents(folder) == before
    (folder / "plan.json").unlink()
    assert verify(folder)[0].startswith("test-00002.tar is not in the manifest: it has samples")
    with pytest.raises(UserError, match="is not as its manifest says: test-00002.tar is not in"):
        add(folder, bank)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_missing_shard_is_told_before_anything_is_drawn(folder: Path, bank: Bank) -> None:
    (folder / "val-00000.tar").unlink()
    before = contents(folder)
    with pytest.raises(UserError, match="says: val-00000.tar is missing.*; see shards verify"):
        add(folder, bank)
    assert contents(folder) == before


def test_what_cannot_be_drawn_on_is_refused(
    folder: Path, bank: Bank, digit_folder: Path, tmp_path: Path
) -> None:
    other = build_bank(tmp_path / "other.h5", [read_folder(digit_folder, "MIT", 0.3, 0.2)])
    before = contents(folder)
    with pytest.raises(UserError, match=r"other\.h5 has not the digits that numbers was made of"):
        add(folder, other)
    with pytest.raises(UserError, match="at least one sample"):
        add(folder, bank, {"train": 0})
    with pytest.raises(UserError, match="at most 1,000,000,000 samples, not 1,000,000,090"):
        add(folder, bank, {"train": 10**9})
    assert contents(folder) == before
    with pytest.raises(UserError, match="has no manifest.json: only a finished data set"):
        add(tmp_path / "nothing", bank)


def test_a_recipe_of_another_version_is_refused(folder: Path, bank: Bank) -> None:
    data = json.loads((folder / "manifest.json").read_text())
    data["recipe"]["wobble"] = 0.5
    (folder / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="recipe 'tiny' differs from those of this version in wob"):
        add(folder, bank)


def test_sets_of_strokes_are_refused(bank: Bank, tmp_path: Path) -> None:
    lines = [{"label": d, "writer": "a", "strokes": [[[0, 0], [d, 9]]]} for d in range(10)]
    (tmp_path / "drawn.jsonl").write_text("\n".join(map(json.dumps, lines)))
    stream = StrokeStream(read_strokes(tmp_path / "drawn.jsonl", "drawn", "MIT"), 1)
    build(Order(tmp_path / "set", stream, {"test": 5}, 10))
    with pytest.raises(UserError, match="set was made of strokes: only sets of a bank"):
        add(tmp_path / "set", bank)


@pytest.mark.parametrize("name", ["child", "reference", "written", "clean", "tiny"])
def test_a_recipe_comes_back_from_its_json(name: str) -> None:
    recipe = preset(name)
    assert type(recipe).from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gap": 1.0}, "in gap"),
        ({"gap": [1.0, "2"]}, "in gap"),
        ({"overlap": [0.0, 1.0]}, "in overlap"),
        ({"frame": 3.0}, "in frame"),
        ({"gap": [3.0, 1.0]}, "upside down"),
        ({"frame": "round"}, "it takes 'ink' or 'box'"),
    ],
)
def test_a_recipe_that_is_none_is_refused(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        type(preset("tiny")).from_json(preset("tiny").to_json() | change)
