import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shards.errors import UserError
from shards.manifest import own_fingerprint, read_manifest, write_manifest
from shards.verify import verify
from shards.writer import write_shard


def reseal(folder: Path, file: str) -> None:
    """Make size and SHA-256 of the manifest agree with a damaged shard."""
    manifest = read_manifest(folder / "manifest.json")
    digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    shards = [replace(s, sha256=digest) if s.file == file else s for s in manifest.shards]
    write_manifest(replace(manifest, shards=shards), folder / "manifest.json")


def damage(folder: Path, file: str, offset: int, value: bytes) -> None:
    data = bytearray((folder / file).read_bytes())
    data[offset : offset + len(value)] = value
    (folder / file).write_bytes(data)


def test_a_sound_set_has_no_faults(built) -> None:
    assert verify(built[0]) == []


def test_any_changed_bit_is_found(built) -> None:
    folder, path = built[0], built[0] / "train-00001.tar"
    sound = path.read_bytes()
    rng = np.random.default_rng(5)
    for offset in rng.integers(0, len(sound), 40):
        damage(folder, path.name, offset, bytes([sound[offset] ^ 1 << rng.integers(8)]))
        faults = verify(folder)
        assert faults[0].startswith("train-00001.tar has SHA-256")
        assert len(faults) >= 2, f"byte {offset} is not checked by structure"
        path.write_bytes(sound)


@pytest.mark.parametrize(
    ("offset", "value", "part"),
    [
        (0, b"000000124", "png header key is wrong"),
        (148, b"000000", "png header checksum is wrong"),
        (512, b"\x88", "png signature is wrong"),
        (512 + 30, b"\1", "png IHDR is wrong"),
        (560, b"\1", "png rows is wrong"),
        (700, b"\x33\x44", "png rows is wrong"),
        (560 + 4128, bytes(4), "png Adler-32 is wrong"),
        (560 + 4132, bytes(4), "png CRC-32 is wrong"),
        (5000, b"x", "png padding is wrong"),
        (5632, b"x", "the label is not 1 to 5 digits"),
        (5640, b"1", "txt is wrong"),
        (6656, b"[", "json is wrong"),
    ],
)
def test_the_part_and_the_sample_are_named(built, offset: int, value: bytes, part: str) -> None:
    damage(built[0], "train-00001.tar", 2 * 7168 + offset, value)
    reseal(built[0], "train-00001.tar")
    assert verify(built[0]) == [f"train-00001.tar, sample 000000064: {part}"]


def test_label_and_json_must_agree(built) -> None:
    folder, samples = built
    other = (int(samples.digits[0, 0]) + 1) % 10
    damage(folder, "test-00000.tar", 5632, str(other).encode())
    reseal(folder, "test-00000.tar")
    assert verify(folder) == ["test-00000.tar, sample 000000000: json is wrong"]


def test_zero_blocks_must_end_a_shard(built) -> None:
    damage(built[0], "val-00000.tar", 10 * 7168 + 3, b"x")
    reseal(built[0], "val-00000.tar")
    assert verify(built[0]) == ["val-00000.tar does not end in 1024 zero bytes"]


def test_boxes_must_lie_on_the_canvas_and_hold_something(built) -> None:
    folder, data = built[0], (built[0] / "test-00000.tar").read_bytes()
    first, second = (data.index(b"[[", i * 7168) + 2 for i in (0, 1))
    damage(folder, "test-00000.tar", first, b"127,  3, 20")
    damage(folder, "test-00000.tar", second + 8, b"  0")
    reseal(folder, "test-00000.tar")
    assert verify(folder) == [
        "test-00000.tar, sample 000000000: "
        "a box or an id in the json is outside 128x32 px or 10 digits",
        "test-00000.tar, sample 000000001: a box in the json is empty",
    ]


def test_missing_extra_and_cut_files_are_named(built, make_samples) -> None:
    folder = built[0]
    (folder / "val-00000.tar").unlink()
    (folder / "train-00007.tar").write_bytes(b"")
    (folder / ".train-00008.tar.tmp").write_bytes(b"")
    write_shard(folder / "train-00009.tar", make_samples(2), 100)
    path = folder / "test-00000.tar"
    path.write_bytes(path.read_bytes()[:-512])
    assert verify(folder) == [
        "val-00000.tar is missing, with samples 000000020 to 000000029",
        ".train-00008.tar.tmp is not in the manifest",
        "train-00007.tar is not in the manifest: it is no shard",
        "train-00009.tar is not in the manifest: it has samples 000000100 to 000000101",
        "test-00000.tar has 143872 bytes, the manifest says 144384: "
        "the 1024 zero bytes at its end are cut off",
    ]


def test_a_digit_of_another_split_is_found(built, make_samples) -> None:
    folder = built[0]
    stray = make_samples(10, seed=10, ids=(100, 200))
    stray.ids[4, 0] = 250  # of a writer of the training split
    write_shard(folder / "val-00000.tar", stray, 20)
    reseal(folder, "val-00000.tar")
    assert verify(folder) == [
        "val-00000.tar, sample 000000024: a digit is of no writer of this split"
    ]


def test_writers_must_not_be_shared(built) -> None:
    path = built[0] / "manifest.json"
    data = json.loads(path.read_text())
    data["sources"][0]["writers"] += [["ann", "train", 900, 910], ["dan", "train", 890, 905]]
    data["sources"].append(
        {**data["sources"][0], "name": "other", "writers": [["ann", "val", 5, 3]]}
    )
    path.write_text(json.dumps(data))
    manifest = read_manifest(path)
    write_manifest(replace(manifest, fingerprint=own_fingerprint(manifest)), path)
    assert verify(built[0]) == [
        "writer 'ann' of noise is in test and in train",
        "writer 'ann' of other has digits 5 to 3, which is no range",
        "writer 'ann' of noise and writer 'ann' of other share digit 5",
        "writer 'cleo' of noise and writer 'dan' of noise share digit 890",
        "writer 'dan' of noise and writer 'ann' of noise share digit 900",
    ]


def test_a_wholly_wrong_shard_is_reported_in_short(built, make_samples) -> None:
    write_shard(built[0] / "test-00000.tar", make_samples(20, ids=(5000, 6000)), 0)
    reseal(built[0], "test-00000.tar")
    faults = verify(built[0])
    assert len(faults) == 11
    assert faults[-1] == "test-00000.tar has more faults than these"


def test_a_set_in_the_making_is_refused(built) -> None:
    (built[0] / "manifest.json").rename(built[0] / "plan.json")
    with pytest.raises(UserError, match="still being built"):
        verify(built[0])
