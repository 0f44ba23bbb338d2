"""Push to, pull from and stream from a stand-in of the Hugging Face Hub, by the real commands."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shards.errors import UserError
from shards.record import Samples
from shards.remote.hub import open_place
from shards.verify import verify
from tests.shards.remote.hub import TOKEN, Hub, hub_on_this_machine

URL = "hf://datasets/ann/numbers"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_on_this_machine() as hub:
        yield hub


def shards(hub: Hub, home: Path, *arguments: object, token: str = TOKEN) -> str:
    """Run a command as its user would; the endpoint is read when huggingface_hub is loaded."""
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-m", "shards", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "Traceback" not in done.stderr
    assert not token or token not in done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("packed", [False, True])
def test_push_and_pull(built: tuple[Path, Samples], tmp_path: Path, hub: Hub, packed: bool) -> None:
    folder, options = built[0], ["--compact"] if packed else []
    said = shards(hub, tmp_path, "push", folder, URL, *options)
    assert f"{URL}: 5 shards sent, 0 were there" in said
    last = "compact.json" if packed else "manifest.json"
    assert [len(paths) for paths in hub.commits] == [5, 1, 1]
    assert hub.commits[-1] == [last]
    assert "5 were there" in shards(hub, tmp_path, "push", folder, URL, *options)
    assert "5 shards fetched" in shards(hub, tmp_path, "pull", URL, tmp_path / "back")
    assert verify(tmp_path / "back") == []
    for path in folder.glob("*.tar"):
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()
    assert "sound: 100 samples" in shards(hub, tmp_path, "verify", URL)


def test_a_token_that_may_not_write(built: tuple[Path, Samples], tmp_path: Path, hub: Hub) -> None:
    hub.repos["ann/numbers"] = {}
    said = shards(hub, tmp_path, "push", built[0], URL, token="hf_another")
    assert said.startswith(f"error: {URL} could not be reached (access is denied): check the URL")
    assert hub.repos["ann/numbers"] == {}


def test_a_url_of_another_kind() -> None:
    with pytest.raises(UserError, match="is no data set of the Hub: name hf://datasets/USER/NAME"):
        open_place("hf://ann/numbers")
