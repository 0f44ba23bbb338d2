"""Folders that are made, and files that stand in their way."""

from pathlib import Path

import pytest

from shards.errors import UserError
from shards.files import make_folder, refuse_file


def test_a_folder_is_made_with_those_above_it_or_is_there(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
        assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    make_folder(tmp_path / "link" / "c")
    assert (tmp_path / "a" / "c").is_dir()


@pytest.mark.parametrize("below", ["", "a", "a/b"])
def test_what_stands_in_its_way_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="file is a file: name another folder$"):
        make_folder(tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match="link is a link to nothing: name another folder$"):
        make_folder(tmp_path / "link" / below)
    assert not (tmp_path / "gone").exists()


def test_a_way_out_may_be_the_callers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file is a file: ask a friend$"):
        refuse_file(tmp_path / "file", "ask a friend")
    refuse_file(tmp_path / "new")
    assert not (tmp_path / "new").exists()
