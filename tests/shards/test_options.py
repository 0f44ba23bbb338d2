"""Folders and pictures that commands take."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from generator.cli import app as generator
from shards.cli import app as shards
from shards.errors import UserError
from shards.options import local, picture
from shards.record import Samples


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


def test_pictures_are_taken_as_they_are() -> None:
    for path in (None, Path("a.png"), Path("a.jpg/B.PNG")):
        assert picture(path) is path


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet", "png", "a.png/sheet.webp"])
@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        (generator, ["digits", "bank.h5", "--sheet"]),
        (generator, ["preview", "--preset", "clean"]),
        (shards, ["preview", "nowhere"]),
        (shards, ["diff", "nowhere", "nowhere", "--sheet"]),
        (shards, ["regenerate", "nowhere", "--key", "1", "--out"]),
    ],
)
def test_another_picture_than_a_png_is_refused_before_anything_is_done(
    app, arguments: list[str], name: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*arguments, name])
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == f"{name} does not end in .png: name a PNG file"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", ["file", "file/set"])
@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        (generator, ["pen"]),
        (generator, ["draw"]),
        (shards, ["pull", "set"]),
        (shards, ["expand", "set"]),
        (shards, ["push", "set"]),
        (shards, ["compact", "set"]),
        (shards, ["import", "set"]),
    ],
)
def test_a_file_is_no_folder(
    app, arguments: list[str], out: str, built: tuple[Path, Samples], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("file").write_text("mine")
    result = CliRunner().invoke(app, [*arguments, out])
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith("file is a file: name ")
    assert Path("file").read_text() == "mine"
