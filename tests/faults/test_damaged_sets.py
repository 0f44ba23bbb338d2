"""Shards cut off, zeroed, missing, swapped, mixed: `shards verify` names shard and sample."""

import dataclasses
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from shards.errors import UserError
from shards.inventory import sha256
from shards.manifest import read_manifest, write_manifest
from shards.reader import DataSet
from shards.verify import verify
from tests.faults.sets import END, RECORD, edit_manifest, overwrite, write_set

SHARD = "train-00001.tar"  # of samples 4 to 7
SIZE = 4 * RECORD + END


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", 3, 4)
    assert verify(tmp_path / "set") == []
    return tmp_path / "set"


def streamed(path: Path) -> int | None:
    """How many samples a streaming tar reader gives from this file without an error."""
    try:
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes()), mode="r|") as tar:
            return sum(
                len(tar.extractfile(member).read()) > 0  # type: ignore[union-attr]
                for member in tar
                if member.name.endswith(".png")
            )
    except tarfile.ReadError:
        return None


@pytest.mark.parametrize(
    ("size", "where", "silent"),
    [
        (0, "in sample 000000004, at its png header key", False),
        (2 * RECORD, "in sample 000000006, at its png header key", True),
        (2 * RECORD + 200, "in sample 000000006, at its png header rest", True),
        (2 * RECORD + 512, "in sample 000000006, at its png signature", False),
        (2 * RECORD + 3000, "in sample 000000006, at its png rows", False),
        (2 * RECORD + 5120, "in sample 000000006, at its txt header key", True),
        (2 * RECORD + 5632 + 2, "in sample 000000006, at its txt", False),
        (4 * RECORD, None, True),
        (4 * RECORD + 512, None, True),
    ],
)
def test_a_truncated_shard(folder: Path, size: int, where: str | None, silent: bool) -> None:
    path = folder / SHARD
    path.write_bytes(path.read_bytes()[:size])
    ends = f"it is cut off {where}" if where else f"the {END} zero bytes at its end are cut off"
    assert verify(folder) == [f"{SHARD} has {size} bytes, the manifest says {SIZE}: {ends}"]
    with pytest.raises(UserError, match=f"{SHARD} has {size} bytes where its manifest says"):
        DataSet(folder).gather("train", [4])
    assert (streamed(path) is not None) == silent


def test_what_is_left_of_a_truncated_shard_is_checked_too(folder: Path) -> None:
    path = folder / SHARD
    path.write_bytes(path.read_bytes()[: 2 * RECORD])
    overwrite(path, RECORD + 1000, b"damage")
    assert verify(folder)[1] == f"{SHARD}, sample 000000005: png rows is wrong"


def test_a_shard_that_goes_on(folder: Path) -> None:
    with (folder / SHARD).open("ab") as file:
        file.write(bytes(RECORD))
    assert verify(folder) == [
        f"{SHARD} has {SIZE + RECORD} bytes, the manifest says {SIZE}: it goes on after sample "
        "000000007"
    ]


@pytest.mark.parametrize("block", range(RECORD // 512))
def test_a_zeroed_block(folder: Path, block: int) -> None:
    overwrite(folder / SHARD, 3 * RECORD + 512 * block, bytes(512))
    faults = verify(folder)
    assert faults[0].startswith(f"{SHARD} has SHA-256 ")
    assert [fault.rpartition(": ")[0] for fault in faults[1:]] == [f"{SHARD}, sample 000000007"]


def test_a_zeroed_page_names_both_samples(folder: Path) -> None:
    overwrite(folder / SHARD, RECORD - 2048, bytes(4096))
    named = [fault.rpartition(": ")[0] for fault in verify(folder)[1:]]
    assert named == [f"{SHARD}, sample 000000004", f"{SHARD}, sample 000000005"]


def test_a_missing_and_an_extra_shard(folder: Path) -> None:
    (folder / SHARD).unlink()
    shutil.copy(folder / "train-00000.tar", folder / "train-00009.tar")
    (folder / "notes.tar").write_text("no tar")
    assert verify(folder) == [
        f"{SHARD} is missing, with samples 000000004 to 000000007",
        "notes.tar is not in the manifest: it is no shard",
        "train-00009.tar is not in the manifest: it has the bytes of train-00000.tar, "
        "samples 000000000 to 000000003",
    ]


def test_a_renamed_shard(folder: Path) -> None:
    (folder / SHARD).rename(folder / "train-00001 (copy).tar")
    assert verify(folder) == [
        f"{SHARD} is missing, with samples 000000004 to 000000007",
        f"train-00001 (copy).tar is not in the manifest: it has the bytes of {SHARD}, "
        "samples 000000004 to 000000007",
    ]


def test_swapped_shards(folder: Path) -> None:
    first, second = folder / "train-00000.tar", folder / SHARD
    first.rename(folder / "aside")
    second.rename(first)
    (folder / "aside").rename(second)
    assert verify(folder) == [
        "train-00000.tar has the bytes of train-00001.tar: "
        "samples 000000004 to 000000007, not samples 000000000 to 000000003",
        "train-00001.tar has the bytes of train-00000.tar: "
        "samples 000000000 to 000000003, not samples 000000004 to 000000007",
    ]


def test_a_folder_or_a_pipe_in_place_of_a_shard(folder: Path) -> None:
    (folder / SHARD).unlink()
    (folder / SHARD).mkdir()
    assert verify(folder) == [f"{SHARD} is no file"]


def test_shards_of_two_builds(folder: Path, tmp_path: Path) -> None:
    write_set(tmp_path / "other", 3, 4, seed=1)
    shutil.copy(tmp_path / "other" / SHARD, folder)
    faults = verify(folder)
    assert len(faults) == 2
    assert faults[0].startswith(f"{SHARD} has SHA-256 ")
    assert faults[1].startswith(
        f"{SHARD}, samples 000000004 to 000000007: each is sound in itself, so that they are of "
        "another build"
    )


def test_the_manifest_of_another_build(folder: Path, tmp_path: Path) -> None:
    write_set(tmp_path / "other", 3, 4, seed=1)
    shutil.copy(tmp_path / "other" / "manifest.json", folder)
    faults = verify(folder)
    assert [fault.split()[0] for fault in faults[::2]] == [f"train-0000{i}.tar" for i in range(3)]


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("../../../etc/cron.d/x", tarfile.REGTYPE, "png header key"),
        ("000000005.png", tarfile.SYMTYPE, "png header rest"),
        ("000000005.pkl", tarfile.REGTYPE, "png header suffix"),
    ],
)
def test_a_forged_header_with_hashes_that_agree(
    folder: Path, name: str, kind: bytes, part: str
) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = 4196, kind, "/etc/passwd"
    image = DataSet(folder).gather("train", [5])[0]
    overwrite(folder / SHARD, RECORD, member.tobuf(tarfile.USTAR_FORMAT))
    shards = read_manifest(folder / "manifest.json").shards
    shards[1] = dataclasses.replace(shards[1], sha256=sha256(folder / SHARD))
    edit_manifest(folder, shards=shards)
    assert [fault.replace("checksum", "rest") for fault in verify(folder)] == [
        f"{SHARD}, sample 000000005: {part} is wrong"
    ]
    assert (DataSet(folder).gather("train", [5])[0] == image).all()  # which looks at no header


def test_two_changed_boxes_are_of_one_of_its_samples(folder: Path) -> None:
    data = (folder / SHARD).read_bytes()
    for sample in (0, 2):
        units = data.index(b"[[", sample * RECORD + 6656) + 4  # of the x of the first box
        overwrite(folder / SHARD, units, b"1" if data[units] != ord("1") else b"2")
    assert verify(folder)[1].startswith(f"{SHARD}, samples 000000004 to 000000007: each is sound")


def test_a_manifest_without_sums_is_read(folder: Path) -> None:
    data = json.loads((folder / "manifest.json").read_text())
    for entry in data["shards"]:
        del entry["json_sums"]
    (folder / "manifest.json").write_text(json.dumps(data))
    assert verify(folder) == []


EDITED = "manifest.json has a fingerprint that is not that of its seed, recipe, splits"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"seed": 8, "fingerprint": "0" * 64}, EDITED),
        ({"fingerprint": "0" * 64}, EDITED),
        ({"tools": {"numpy": "1.0"}, "fingerprint": "0" * 64}, EDITED),
        ({"recipe": {"height": 3}, "fingerprint": "0" * 64}, EDITED),
        ({"histograms": {}}, "manifest.json has histograms that are not those of the labels"),
    ],
)
def test_an_edited_manifest(folder: Path, changes: dict, fault: str) -> None:
    edit_manifest(folder, **changes)
    faults = verify(folder)
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def test_an_edited_hash_or_count(folder: Path) -> None:
    sound = (folder / "manifest.json").read_text()
    entry = read_manifest(folder / "manifest.json").shards[1]
    (folder / "manifest.json").write_text(sound.replace(entry.sha256, "0" * 64))
    assert verify(folder)[0].startswith(f"{SHARD} has SHA-256 {entry.sha256}, the manifest says 00")
    (folder / "manifest.json").write_text(sound.replace('"count": 4', '"count": 5'))
    with pytest.raises(UserError, match=r"shards\[0\] says 29696 bytes for 5 samples"):
        verify(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "is not JSON"),
        (lambda text: "", "is not JSON"),
        (lambda text: text.replace('"format": 1', '"format": 3'), "format 3, the newest known"),
        (lambda text: text.replace('"format": 1', '"format": 0'), "which never existed"),
        (lambda text: text.replace("train-00001.tar", "/etc/passwd"), "no name of a shard"),
        (lambda text: text.replace("train-00001.tar", "train-00002.tar"), "out of sequence"),
        (lambda text: "[" * 100_000, "is not JSON"),
        (lambda text: text.replace('"seed": 0', '"seed": ' + "9" * 5000), "is not JSON"),
        (lambda text: text.replace('"recipe": {}', '"recipe": {"a": 1e999}'), "is not JSON"),
        (lambda text: text.replace('"noise"', '"\\ud800"'), "is not JSON"),
        (lambda text: text + " " * (1 << 25), "bytes: it is damaged"),
    ],
)
def test_a_damaged_manifest(folder: Path, damage: Callable[[str], str], message: str) -> None:
    path = folder / "manifest.json"
    path.write_text(damage(path.read_text()))
    for read in (verify, DataSet):
        with pytest.raises(UserError, match=message):
            read(folder)


def test_a_manifest_that_is_a_device(folder: Path) -> None:
    manifest = read_manifest(folder / "manifest.json")
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="is no file"):
        DataSet(folder)
    (folder / "manifest.json").unlink()
    write_manifest(manifest, folder / "manifest.json")
    assert verify(folder) == []
