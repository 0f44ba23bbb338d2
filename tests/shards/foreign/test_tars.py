"""Which split a stranger's tar belongs to."""

from pathlib import Path

import pytest

from shards.foreign.tars import find_tars


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("test", "train", "devanagari"):
        (tmp_path / "theirs" / name).mkdir(parents=True)
        (tmp_path / "theirs" / name / "000.tar").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "theirs"


def test_a_tar_is_of_the_split_of_its_folder(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    each = [("theirs/test/000.tar", "test"), ("theirs/train/000.tar", "train")]
    assert [(str(tar), split) for tar, split in find_tars([n for n, _ in each], "val")] == each
    found = {str(tar): split for tar, split in find_tars(["theirs"], "val")}
    assert found == dict(each) | {"theirs/devanagari/000.tar": "val"}
    monkeypatch.chdir(theirs / "test")
    assert find_tars(["."], "val") == [(Path("000.tar"), "test")]
    assert find_tars(["000.tar"], "val") == [(Path("000.tar"), "test")]
    theirs.rename(theirs.with_name("test_of_mine"))
    (theirs.with_name("test_of_mine") / "mine.tar").write_bytes(b"")
    monkeypatch.chdir(theirs.parent)
    assert find_tars(["test_of_mine/mine.tar"], "val")[0][1] == "val"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(("train-000.tar", "train"), ("training_3.tar", "train"), ("trainset.tar", "train")),
        *(("validation.tar", "val"), ("dev-1.tar.gz", "val"), ("eval0.tar", "test")),
        *(("test.tar", "test"), ("testdata.tar", "test"), ("evaluation.tar", "test")),
        *(("devanagari.tar", "val"), ("trains.tar", "val"), ("testament.tar", "val")),
    ],
)
def test_only_whole_words_are_splits(tmp_path: Path, name: str, split: str) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    (folder / name).write_bytes(b"")
    assert find_tars([folder], "val") == [(folder / name, split)]


def test_what_is_named_twice_is_taken_once(theirs: Path) -> None:
    twice = ["theirs/test", theirs / "test", "theirs/test/000.tar"]
    assert len(find_tars(twice, "train")) == 1
