"""Parts of a build, made apart, and joined by `shards.merge`."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from generator.bank import Bank
from generator.build import build
from shards import merge as merging
from shards.errors import UserError
from shards.finish import finish
from shards.manifest import read_manifest
from shards.merge import merge
from shards.part import Part
from shards.reader import DataSet
from shards.verify import verify
from tests.faults.builds import SHARDS, contents, order

PARTS = 4


def build_parts(folder: Path, bank: Bank, seed: int = 1) -> list[Path]:
    """Four parts of the data set of `order`, of nine shards."""
    for number in range(1, PARTS + 1):
        build(order(folder / f"part{number}", bank, seed), part=Part(number, PARTS))
    return [folder / f"part{number}" for number in range(1, PARTS + 1)]


@pytest.fixture(scope="module")
def made(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts, and `numbers`, the same data set built at once."""
    folder = tmp_path_factory.mktemp("made")
    build_parts(folder, bank)
    build(order(folder / "numbers", bank))
    return folder


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> list[Path]:
    """Copies of the parts that a test may spoil."""
    return [
        Path(shutil.copytree(made / f"part{n}", tmp_path / f"part{n}")) for n in range(1, PARTS + 1)
    ]


def state(folders: list[Path]) -> list[dict[str, str]]:
    return [contents(folder) for folder in folders]


def test_parts_are_dealt_and_even(parts: list[Path]) -> None:
    shards = [sorted(p.name for p in part.glob("*.tar")) for part in parts]
    assert [len(names) for names in shards] == [3, 2, 2, 2]
    assert sorted(chain(*shards)) == sorted(SHARDS)


def test_merged_they_are_the_one_build_byte_for_byte(
    made: Path, parts: list[Path], tmp_path: Path
) -> None:
    before = state(parts)
    merge(tmp_path / "numbers", parts[::-1])
    assert contents(tmp_path / "numbers") == contents(made / "numbers")
    assert verify(tmp_path / "numbers") == []
    assert state(parts) == before


def test_they_are_not_merged_into_a_file(parts: list[Path], tmp_path: Path) -> None:
    (tmp_path / "numbers").write_text("mine")
    with pytest.raises(UserError, match="numbers is a file: name another folder"):
        merge(tmp_path / "numbers", parts)


def test_they_cost_no_room_on_one_disk_and_are_copied_to_another(
    made: Path, parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(tmp_path / "numbers", parts)
    shard = tmp_path / "numbers" / "test-00000.tar"
    assert shard.samefile(parts[0] / shard.name)

    def other_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    merge(tmp_path / "copied" / "numbers", parts)
    assert not (tmp_path / "copied" / "numbers" / shard.name).samefile(shard)
    assert contents(tmp_path / "copied" / "numbers") == contents(made / "numbers")


def test_a_part_is_no_data_set(parts: list[Path], bank: Bank) -> None:
    with pytest.raises(UserError, match="part1 is the part 1/4 of a data set; join all of them"):
        DataSet(parts[0])
    for change in ({}, {"part": Part(2, 4)}, {"part": Part(1, 5)}):
        before = contents(parts[0])
        with pytest.raises(UserError, match=r"differs in part \(1/4, now "):
            build(order(parts[0], bank), **change)
        assert contents(parts[0]) == before


def test_a_part_that_was_cut_off_goes_on(parts: list[Path], bank: Bank) -> None:
    whole = contents(parts[1])
    plan = read_manifest(parts[1] / "plan.json")
    shards = [replace(entry, sha256=None, json_sums=None) for entry in plan.shards]
    (parts[1] / "plan.json").write_text(replace(plan, shards=shards).to_json())
    (parts[1] / "test-00001.tar").unlink()
    with pytest.raises(UserError, match="part2 is not finished: run its command, with --only 2/4"):
        merge(parts[1].parent / "numbers", parts)
    build(order(parts[1], bank), part=Part(2, 4))
    assert contents(parts[1]) == whole


def drop_a_part(parts: list[Path], bank: Bank) -> None:
    parts[2:3] = []


def drop_a_shard(parts: list[Path], bank: Bank) -> None:
    (parts[0] / "test-00000.tar").unlink()


def flip_a_bit(parts: list[Path], bank: Bank) -> None:
    data = bytearray((parts[3] / "train-00000.tar").read_bytes())
    data[5_000] ^= 1
    (parts[3] / "train-00000.tar").write_bytes(data)


def cut_off(parts: list[Path], bank: Bank) -> None:
    os.truncate(parts[3] / "train-00000.tar", 20_000)


def swap_a_part(parts: list[Path], bank: Bank) -> None:
    shutil.rmtree(parts[3])
    build(order(parts[3], bank, seed=2), part=Part(4, PARTS))


def double_and_differ(parts: list[Path], bank: Bank) -> None:
    """Another division, one shard of which says something else of what is in the first."""
    other = parts[0].with_name("other")
    build(order(other, bank), part=Part(1, 2))
    plan = read_manifest(other / "plan.json")
    changed = replace(plan.shards[0], sha256="0" * 64)
    (other / "plan.json").write_text(replace(plan, shards=[changed, *plan.shards[1:]]).to_json())
    parts.append(other)


def name_a_whole_set(parts: list[Path], bank: Bank) -> None:
    parts[0] = parts[0].with_name("numbers-already")
    build(order(parts[0], bank))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop_a_part, "no part has val-00000.tar, train-00003.tar; build part 3 of 4, and name"),
        (drop_a_shard, r"part1/test-00000\.tar is missing: run the command of that part again"),
        (flip_a_bit, "part4: train-00000.tar has SHA-256 .*; remove it and build that part again"),
        (cut_off, "part4: train-00000.tar has 20000 bytes, .* is cut off in sample 000000032"),
        (
            swap_a_part,
            r"part4 is a part of another data set than .*: it differs in seed \(1, ",
        ),
        (double_and_differ, r"test-00000\.tar differs in .*part1 and .*other"),
        (name_a_whole_set, "numbers-already has no plan.json: name the folders of parts"),
    ],
)
def test_what_does_not_belong_together_is_refused_and_stays(
    parts: list[Path],
    bank: Bank,
    tmp_path: Path,
    spoil: Callable[[list[Path], Bank], None],
    message: str,
) -> None:
    spoil(parts, bank)
    before = state(parts)
    with pytest.raises(UserError, match=message):
        merge(tmp_path / "numbers", parts)
    assert state(parts) == before
    assert not (tmp_path / "numbers" / "manifest.json").exists()


@pytest.mark.parametrize("spoil", [drop_a_shard, flip_a_bit, cut_off])
def test_what_was_spoilt_is_built_again(
    made: Path,
    parts: list[Path],
    bank: Bank,
    tmp_path: Path,
    spoil: Callable[[list[Path], Bank], None],
) -> None:
    spoil(parts, bank)
    with pytest.raises(UserError, match="again"):
        merge(tmp_path / "numbers", parts)
    if spoil is not drop_a_shard:
        (parts[3] / "train-00000.tar").unlink()
    for number in (1, 4):
        build(order(parts[number - 1], bank), part=Part(number, PARTS))
    merge(tmp_path / "numbers", parts)
    assert contents(tmp_path / "numbers") == contents(made / "numbers")


def test_a_part_that_lost_one_shard_does_not_take_another_for_sound(
    parts: list[Path], bank: Bank
) -> None:
    flip_a_bit(parts, bank)
    (parts[3] / "train-00004.tar").unlink()
    with pytest.raises(UserError, match=r"train-00000\.tar has changed since it was built; remove"):
        build(order(parts[3], bank), part=Part(4, PARTS))


def test_a_merged_set_that_was_damaged_is_found_and_mended(
    made: Path, parts: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "numbers"
    merge(out, parts)
    shard = out / "train-00001.tar"
    whole = shard.read_bytes()
    shard.unlink()  # which is linked to the part's
    shard.write_bytes(whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
    with pytest.raises(UserError, match=r"train-00001\.tar .*; remove train-00001\.tar and merge"):
        merge(out, parts)
    shard.unlink()
    merge(out, parts)
    assert contents(out) == contents(made / "numbers")


def test_parts_of_two_divisions_that_agree_are_joined(
    made: Path, parts: list[Path], bank: Bank, tmp_path: Path
) -> None:
    build(order(tmp_path / "half", bank), part=Part(1, 2))
    merge(tmp_path / "numbers", [tmp_path / "half", *parts])
    assert contents(tmp_path / "numbers") == contents(made / "numbers")


def test_a_merge_that_was_cut_off_goes_on(
    made: Path, parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "numbers"
    monkeypatch.setattr(merging, "finish", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        merge(out, parts)
    assert DataSet(out).ready("train") == 60
    monkeypatch.setattr(merging, "finish", finish)
    times = {path.name: path.stat().st_ctime_ns for path in out.glob("*.tar")}
    for _ in range(2):  # and a merge that is done changes nothing
        merge(out, parts)
        assert {path.name: path.stat().st_ctime_ns for path in out.glob("*.tar")} == times
        assert contents(out) == contents(made / "numbers")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_no_folder_in_use_is_touched(parts: list[Path], bank: Bank, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"mine")
    with pytest.raises(UserError, match="holds shards of unknown origin; merge into an empty"):
        merge(tmp_path, parts)
    build(order(tmp_path / "other", bank, seed=5))
    with pytest.raises(UserError, match=r"differs in seed \(5, now 1\); merge into an empty"):
        merge(tmp_path / "other", parts)
    with pytest.raises(UserError, match=r"part1 holds another data set, which differs in part"):
        merge(parts[0], parts)
    assert contents(parts[0]).keys() == {"plan.json", *SHARDS[::4]}


def test_a_part_may_be_empty(bank: Bank, tmp_path: Path) -> None:
    orders = [order(tmp_path / str(n), bank, splits={"train": 10}) for n in (1, 2)]
    for number, what in enumerate(orders, 1):
        build(what, part=Part(number, 2))
    merge(tmp_path / "numbers", [what.folder for what in orders])
    assert verify(tmp_path / "numbers") == []
