"""A job on its way to another machine: its bank is found there, or comes along, unchanged."""

import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest

from generator.bank import Bank
from generator.cluster.parcel import pack
from generator.recipe import preset
from generator.shard_job import ShardJob
from generator.stream import BankStream
from shards.errors import UserError


class Post:
    """Keeps what is sent, and counts how often it is fetched."""

    def __init__(self) -> None:
        self.data = np.zeros(0, np.uint8)
        self.fetched = 0

    def send(self, data: np.ndarray) -> "Post":
        self.data = data
        return self

    def __call__(self) -> np.ndarray:
        self.fetched += 1
        return self.data


@pytest.fixture
def job(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShardJob:
    """A job with a bank of its own, on a machine with a temporary folder of its own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "bank.h5").write_bytes(bank.path.read_bytes())
    return ShardJob(tmp_path, BankStream(Bank(tmp_path / "bank.h5"), preset("child"), 3))


def images(job: ShardJob) -> np.ndarray:
    return job.stream.render("train", 5, 20).images


def test_a_bank_that_is_seen_is_not_fetched(job: ShardJob, tmp_path: Path) -> None:
    post = Post()
    unpacked = pack(job, post.send).unpack()
    assert unpacked.folder == tmp_path
    np.testing.assert_array_equal(images(unpacked), images(job))
    assert post.fetched == 0
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("there", ["nothing", "another bank"])
def test_a_bank_that_is_not_seen_is_fetched_once(job: ShardJob, tmp_path: Path, there: str) -> None:
    post, drawn = Post(), images(job)
    parcel = pack(job, post.send)
    (tmp_path / "bank.h5").unlink()
    if there == "another bank":
        (tmp_path / "bank.h5").write_bytes(b"another bank")
    for _ in range(2):
        np.testing.assert_array_equal(images(parcel.unpack()), drawn)
    assert post.fetched == 1
    copy = Path(parcel.unpack().stream.bank.path)
    assert copy.parent == tmp_path / "tmp"
    assert copy.read_bytes() == post.data.tobytes()


def test_a_bank_that_came_damaged_is_refused(job: ShardJob, tmp_path: Path) -> None:
    post = Post()
    parcel = pack(job, post.send)
    (tmp_path / "bank.h5").unlink()
    post.data = post.data.copy()
    post.data[len(post.data) // 2] ^= 1
    with pytest.raises(UserError, match=r"bank\.h5 came damaged to this machine"):
        parcel.unpack()
    assert not list((tmp_path / "tmp").iterdir())


def test_a_parcel_is_small(job: ShardJob) -> None:
    parcel = pack(job, lambda data: list)
    assert len(pickle.dumps(parcel)) < 2_000
