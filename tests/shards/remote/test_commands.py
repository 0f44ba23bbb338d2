"""The commands as a person runs them, and what they say of places that cannot be opened."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from shards.cli import app
from shards.errors import UserError
from shards.opening import open_data
from shards.record import Samples
from shards.remote.place import is_url, redacted
from tests.shards.remote.server import Site


def said(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_compact_and_expand(built: tuple[Path, Samples], tmp_path: Path) -> None:
    before = sum(path.stat().st_size for path in built[0].glob("*.tar"))
    told = said("compact", built[0], tmp_path / "small")
    after = sum(path.stat().st_size for path in (tmp_path / "small").glob("*.tar.gz"))
    assert f"{before:,} bytes to {after:,}, {before / after:.1f} times smaller" in told
    assert "the data set as it was built" in said("expand", tmp_path / "small", tmp_path / "back")
    assert (tmp_path / "back/manifest.json").read_bytes() == (
        built[0] / "manifest.json"
    ).read_bytes()
    assert "sound: 100 samples in 5 shards" in said("verify", tmp_path / "back")


def test_info_verify_and_preview_take_urls(site: Site, tmp_path: Path) -> None:
    assert said("info", site.url) == said("info", site.folder)
    assert {name for name, _, _ in site.asked} == {"manifest.json"}
    assert "sound: 100 samples in 5 shards, no writer" in said("verify", site.url)
    said("preview", site.url, tmp_path / "sheet.png", "--split", "val", "--count", 4)
    said("preview", site.folder, tmp_path / "local.png", "--split", "val", "--count", 4)
    assert (tmp_path / "sheet.png").read_bytes() == (tmp_path / "local.png").read_bytes()


def test_verify_names_what_is_wrong_at_a_url(site: Site) -> None:
    (site.folder / "val-00000.tar").unlink()
    result = CliRunner().invoke(app, ["verify", site.url])
    assert result.exit_code == 1
    assert f"{site.url}/val-00000.tar could not be reached (it is not there)" in result.output


def test_pull_and_push_show_no_secrets(site: Site, tmp_path: Path) -> None:
    site.token = "s3cret"
    told = said("pull", f"{site.url}?token=s3cret", tmp_path / "back")
    told += said("push", tmp_path / "back", f"memory://user:pa55@host/{tmp_path.name}")
    assert "s3cret" not in told
    assert "pa55" not in told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("gs://bucket/set", r"gs:// needs a package .*: pip install 'digit-readers\[gs\]'$"),
        ("gopher://host/set", "gopher://host/set has a scheme that fsspec does not know: use"),
        ("zip://a::http://ann:pa55@host/b.zip", "is several URLs in one: name one folder$"),
        ("http://127.0.0.1:9/set", r"manifest.json could not be reached 6 times in a row \(Client"),
    ],
)
def test_places_that_cannot_be_opened(url: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        open_data(url)
    assert "pa55" not in str(error.value)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("http://host/a", "http://host/a"),
        ("https://ann:pa55@host:8/a?sig=x#y", "https://host:8/a?..."),
        ("s3://key:secret@bucket/a", "s3://bucket/a"),
        ("s3://key:sec/ret@bucket/a", "s3://bucket/a"),
        ("hf://datasets/ann/numbers@main", "hf://datasets/ann/numbers@main"),
        ("zip://a::http://ann:pa55@host/b.zip", "zip://..."),
        ("data/numbers", "data/numbers"),
        (Path("http:/x"), "http:/x"),
        ("C:\\data", "C:\\data"),
    ],
)
def test_what_is_shown_of_a_place(place: str | Path, shown: str) -> None:
    assert redacted(place) == shown
    assert is_url(place) == ("://" in str(place))
