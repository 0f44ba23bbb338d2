"""Folders that commands take."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from generator.cli import app as generator
from shards.cli import app as shards
from shards.errors import UserError
from shards.options import local


def test_folders_are_taken_as_they_are() -> None:
    paths = [Path("data/numbers"), Path("/a:/b"), Path("c:/numbers"), Path("my set: 2/x")]
    assert local(paths) == paths
    assert local(paths[0]) is paths[0]


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        (generator, ["build", "s3://anna:secret@bucket/set", "--count", "2"]),
        (generator, ["extend", "s3://anna:secret@bucket/set"]),
        (shards, ["import", "a.tar", "s3://anna:secret@bucket/set"]),
        (shards, ["merge", "out", "part", "s3://anna:secret@bucket/set"]),
        (shards, ["pull", "there", "s3://anna:secret@bucket/set"]),
        (shards, ["compact", "s3://anna:secret@bucket/set", "out"]),
        (shards, ["diff", "here", "s3://anna:secret@bucket/set"]),
        (shards, ["overlap", "here", "s3://anna:secret@bucket/set"]),
        (shards, ["regenerate", "s3://anna:secret@bucket/set", "--key", "1"]),
    ],
)
def test_a_url_is_no_folder(app, arguments: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith("s3://bucket/set is a URL, where a folder is wanted")
    assert not list(tmp_path.iterdir())
