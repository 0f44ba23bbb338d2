import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from generator.bank import Bank, build_bank
from generator.build import Order, build
from generator.engine import render
from generator.recipe import preset
from generator.sources.folder import read_folder
from generator.stream import BankStream
from shards.errors import UserError
from shards.reader import DataSet
from shards.verify import verify

SPLITS = {"train": 130, "val": 20, "test": 30}


def order(folder: Path, bank: Bank, seed: int = 1) -> Order:
    return Order(folder, BankStream(bank, preset("child"), seed), SPLITS, shard_size=50)


def hashes(folder: Path) -> dict[str, str]:
    # Pillow need not compress a preview in the same way everywhere.
    names = sorted(p.name for p in folder.iterdir() if p.suffix != ".png")
    return {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}


@pytest.fixture(scope="module")
def built(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one") / "numbers"
    build(order(folder, bank), workers=1)
    return folder


def test_a_build_is_whole_and_sound(built: Path) -> None:
    assert sorted(p.name for p in built.iterdir()) == [
        "README.md",
        "manifest.json",
        "preview.png",
        "test-00000.tar",
        "train-00000.tar",
        "train-00001.tar",
        "train-00002.tar",
        "val-00000.tar",
    ]
    assert verify(built) == []
    manifest = DataSet(built).manifest
    assert manifest.splits == SPLITS
    assert sum(manifest.histograms["lengths"].values()) == 180


def test_a_sample_is_rendered_from_seed_and_key_alone(built: Path, bank: Bank) -> None:
    data = DataSet(built)
    key = data.manifest.shards[3].first_key  # the middle shard of train
    expected = render(bank, "train", preset("child"), 1, key, 50)
    images, digits = data.gather("train", np.arange(50, 100))
    np.testing.assert_array_equal(images, expected.images)
    np.testing.assert_array_equal(digits, expected.digits)


def test_a_cut_off_build_goes_on_to_the_same_bytes(built: Path, bank: Bank, tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    shutil.copytree(built, folder)
    plan = json.loads((folder / "manifest.json").read_text())
    for entry in plan["shards"]:
        entry["sha256"] = None
    (folder / "plan.json").write_text(json.dumps(plan | {"histograms": {}}))
    (folder / "manifest.json").unlink()
    (folder / "train-00001.tar").unlink()
    (folder / ".train-00002.tar.01234567.tmp").write_bytes(b"half")
    kept = (folder / "train-00000.tar").stat().st_mtime_ns
    build(order(folder, bank), workers=1)
    assert (folder / "train-00000.tar").stat().st_mtime_ns == kept
    assert hashes(folder) == hashes(built)


def test_a_build_that_lacks_its_manifest_alone_needs_nobody(
    built: Path, bank: Bank, tmp_path: Path
) -> None:
    folder = tmp_path / "numbers"
    shutil.copytree(built, folder)
    (folder / "manifest.json").rename(folder / "plan.json")

    def nobody(*_: object) -> None:
        raise AssertionError

    build(order(folder, bank), run=nobody)
    assert hashes(folder) == hashes(built)


def test_building_again_changes_nothing(built: Path, bank: Bank) -> None:
    before = {p: p.stat().st_mtime_ns for p in built.iterdir()}
    build(order(built, bank), workers=1)
    assert {p: p.stat().st_mtime_ns for p in built.iterdir()} == before


def test_a_shard_that_went_missing_is_built_again(built: Path, bank: Bank, tmp_path: Path) -> None:
    folder = shutil.copytree(built, tmp_path / built.name)
    (folder / "train-00001.tar").unlink()
    build(order(folder, bank), workers=1)
    assert hashes(folder) == hashes(built)


def test_a_shard_that_is_built_again_with_other_bytes_is_refused(
    built: Path, bank: Bank, tmp_path: Path
) -> None:
    folder = shutil.copytree(built, tmp_path / built.name)
    (folder / "train-00001.tar").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = next(e for e in manifest["shards"] if e["file"] == "train-00001.tar")
    entry["sha256"] = hashlib.sha256(b"another machine's").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"train-00001\.tar was missing and has other bytes now"):
        build(order(folder, bank), workers=1)


def test_another_seed_or_recipe_into_the_same_folder_is_refused(built: Path, bank: Bank) -> None:
    before = hashes(built)
    with pytest.raises(UserError, match=r"differs in seed \(1, now 2\)"):
        build(order(built, bank, seed=2), workers=1)
    stream = BankStream(bank, preset("child").override(["gap=0:1"]), 1)
    other = Order(built, stream, SPLITS, 50)
    with pytest.raises(UserError, match=r"recipe gap \(\[-2.5, 2.5\], now \[0.0, 1.0\]\)"):
        build(other, workers=1)
    assert hashes(built) == before


def test_another_bank_into_the_same_folder_is_refused(
    built: Path, digit_folder: Path, tmp_path: Path
) -> None:
    other = build_bank(tmp_path / "other.h5", [read_folder(digit_folder, "MIT", 0.3, 0.2)])
    with pytest.raises(UserError, match="differs in .*digit sources"):
        build(order(built, other), workers=1)


def test_a_persons_own_files_stay(bank: Bank, tmp_path: Path, capsys) -> None:
    mine = {"README.md": b"mine\n", ".important.tmp": b"mine, too"}
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    build(order(tmp_path, bank), workers=1)
    assert {name: (tmp_path / name).read_bytes() for name in mine} == mine
    assert "README.md is not as this version wrote it, and stays" in capsys.readouterr().err


def test_shards_of_unknown_origin_are_not_mixed_in(bank: Bank, tmp_path: Path) -> None:
    (tmp_path / "train-00000.tar").write_bytes(b"")
    with pytest.raises(UserError, match="unknown origin"):
        build(order(tmp_path, bank), workers=1)


def test_a_split_without_writers_is_refused_before_anything_is_written(
    digit_folder: Path, tmp_path: Path
) -> None:
    only_train = build_bank(tmp_path / "bank.h5", [read_folder(digit_folder, "MIT", 0, 0)])
    with pytest.raises(UserError, match="in its test split"):
        build(order(tmp_path / "out", only_train), workers=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_stream_has(bank: Bank, tmp_path: Path, seed: int) -> None:
    wanted = order(tmp_path / "numbers", bank)
    stream = dataclasses.replace(wanted.stream, seed=seed)
    with pytest.raises(UserError, match=f"seed is {seed}; it must be 0 to 9223372036854775807"):
        build(dataclasses.replace(wanted, stream=stream), workers=1)
    assert not wanted.folder.exists()


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [
        (10**9, 100_000, "at most 1,000,000,000 samples, not 1,000,000,050; build several"),
        (1_000_001, 10, "at most 100,000 shards, not 100,006; raise --shard-size from 10, or"),
    ],
)
def test_more_than_keys_and_names_of_shards_can_tell(
    bank: Bank, tmp_path: Path, count: int, size: int, message: str
) -> None:
    splits = SPLITS | {"train": count}
    folder = tmp_path / "numbers"
    with pytest.raises(UserError, match=message):
        build(dataclasses.replace(order(folder, bank), splits=splits, shard_size=size), workers=1)
    assert not folder.exists()
