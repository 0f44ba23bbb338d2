"""Training and measuring from a URL: the same weights, beginning with the first shards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from shards.errors import UserError
from shards.reader import DataSet
from shards.remote import retry
from tests.shards.remote.server import Site, serving
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import BEST, LAST
from trainer.cli import app
from trainer.config import Config
from trainer.start import start

# Two blocks of one shard each.
CONFIG = Config("nano", epochs=3, epoch_images=16, batch=8, val_images=8)
SPLITS = {"test": 8, "val": 8, "train": 32}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)
    monkeypatch.setenv("DIGIT_READERS_CACHE", str(tmp_path / "cache"))
    with serving(write_data_set(tmp_path / "set", SPLITS)) as site:
        yield site


def test_the_same_weights_as_from_the_folder_in_a_cache_of_one_block(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = DataSet(site.folder).manifest.shards[-1].bytes
    monkeypatch.setenv("DIGIT_READERS_CACHE_GB", str(1.2 * block / 1e9))
    for file in ("train-00000.tar", "train-00001.tar", "val-00000.tar"):
        site.fail(file, "cut", "corrupt", "500")
    start(site.folder, CONFIG, tmp_path / "local", "cpu")
    start(site.url, CONFIG, tmp_path / "streamed", "cpu")
    local, streamed = (load_file(tmp_path / run / BEST) for run in ("local", "streamed"))
    assert local.keys() == streamed.keys()
    assert all(torch.equal(local[name], streamed[name]) for name in local)
    assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) <= 1.2 * block


def test_training_begins_with_the_first_shards_and_goes_on_after_a_failure(
    site: Site, tmp_path: Path
) -> None:
    site.fail("train-00001.tar", *["500"] * 3 * retry.TRIES)
    run = tmp_path / "run"
    with pytest.raises(UserError, match=r"train-00001\.tar could not be reached 6 times in a row"):
        start(site.url, CONFIG, run, "cpu")
    assert (run / LAST).exists()  # of the first epoch
    site.faults.clear()
    start(site.url, CONFIG, run, "cpu", resume=True)
    start(site.folder, CONFIG, tmp_path / "local", "cpu")
    local, resumed = load_file(tmp_path / "local" / LAST), load_file(run / LAST)
    assert all(torch.equal(local[name], resumed[name]) for name in local)


def test_an_epoch_that_the_cache_cannot_hold_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGIT_READERS_CACHE_GB", "0.0002")
    config = Config("nano", epochs=1, batch=8, val_images=8)
    with pytest.raises(UserError, match=r"2 shards of http.* with fewer --epoch-images"):
        start(site.url, config, tmp_path / "run", "cpu")


def test_the_commands_take_urls_and_show_no_secrets(site: Site, tmp_path: Path) -> None:
    site.token = "s3cret"
    url, run = f"{site.url}?token=s3cret", str(tmp_path / "run")
    options = ["--epochs", "1", "--batch", "8", "--device", "cpu", "--run", run]
    said = CliRunner().invoke(app, ["train", url, *options])
    assert said.exit_code == 0, said.output
    assert f"--data {site.url}?..." in said.output
    measured = CliRunner().invoke(app, ["evaluate", run, url, "--device", "cpu"])
    assert measured.exit_code == 0, measured.output
    assert "s3cret" not in said.output + measured.output
    assert not [p for p in tmp_path.rglob("*.json*") if "s3cret" in p.read_text()]
