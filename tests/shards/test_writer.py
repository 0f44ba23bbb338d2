import hashlib
import zlib
from pathlib import Path

import numpy as np
import pytest

from shards.errors import UserError
from shards.files import replacing
from shards.manifest import ShardEntry
from shards.reader import Shard
from shards.record import build_records
from shards.writer import write_shard


def test_a_shard_is_its_records_and_two_zero_blocks(tmp_path: Path, make_samples) -> None:
    samples, path = make_samples(5), tmp_path / "val-00003.tar"
    entry = write_shard(path, samples, 40)
    data = path.read_bytes()
    assert data == build_records(samples, 40).tobytes() + bytes(1024)
    digest = hashlib.sha256(data).hexdigest()
    checksums = [zlib.crc32(data[i * 7168 + 6656 : (i + 1) * 7168]) for i in range(5)]
    sums = [sum(checksums), sum((i + 1) * checksum for i, checksum in enumerate(checksums))]
    assert entry == ShardEntry("val-00003.tar", "val", 40, 5, 5 * 7168 + 1024, digest, sums)


def test_batches_of_any_size_give_the_same_file(tmp_path: Path, make_samples, monkeypatch) -> None:
    samples = make_samples(10)
    whole = write_shard(tmp_path / "train-00000.tar", samples, 3)
    parts = (samples.part(start, stop) for start, stop in ((0, 1), (1, 1), (1, 7), (7, 10)))
    assert write_shard(tmp_path / "train-00001.tar", parts, 3).sha256 == whole.sha256
    monkeypatch.setattr("shards.writer._BATCH", 3)
    assert write_shard(tmp_path / "train-00002.tar", samples, 3).sha256 == whole.sha256


def test_a_failure_leaves_what_was_there(tmp_path: Path, make_samples) -> None:
    path = tmp_path / "train-00000.tar"
    write_shard(path, make_samples(2), 0)
    before = path.read_bytes()

    def batches():
        yield make_samples(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(path, batches(), 0)
    assert [file.name for file in tmp_path.iterdir()] == ["train-00000.tar"]
    assert path.read_bytes() == before


def test_the_name_appears_only_when_all_is_written(tmp_path: Path, make_samples) -> None:
    path = tmp_path / "train-00000.tar"

    def batches():
        yield make_samples(3)
        assert not path.exists()
        yield make_samples(1)

    write_shard(path, batches(), 0)
    assert np.array_equal(Shard(path).images[:3], make_samples(3).images)


@pytest.mark.parametrize(
    "name", ["numbers.tar", "train-1.tar", "train-00000.tar.gz", "x-00000.tar"]
)
def test_other_names_are_refused(tmp_path: Path, make_samples, name: str) -> None:
    with pytest.raises(UserError, match="no name of a shard"):
        write_shard(tmp_path / name, make_samples(1), 0)
    assert not list(tmp_path.iterdir())


def test_replacing_into_a_missing_folder_says_so(tmp_path: Path) -> None:
    said = pytest.raises(UserError, match="no is no folder: make it, or name another")
    with said, replacing(tmp_path / "no" / "file") as file:
        file.write(b"")
    long = tmp_path / ("x" * 250)  # the temporary name is longer
    with pytest.raises(OSError, match="too long") as error, replacing(long) as file:
        file.write(b"")
    assert error.value.filename == str(long)


def test_a_folder_is_not_replaced_and_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    said = pytest.raises(UserError, match="taken is a folder: name a file in it, or elsewhere$")
    with said, replacing(tmp_path / "taken"):
        pytest.fail("it was opened")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
