"""A data set served over HTTP, a cache of the test's own, and no pauses between tries."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shards.reader import DataSet
from shards.record import Samples
from shards.remote import fetch, retry
from shards.remote.cache import Cache
from tests.shards.remote.server import Site, serving


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)
    monkeypatch.setenv("DIGIT_READERS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes asked for at once: several pieces for each shard of a test."""
    monkeypatch.setattr(fetch, "PIECE", 1 << 16)
    return 1 << 16


@pytest.fixture
def site(built: tuple[Path, Samples]) -> Iterator[Site]:
    with serving(built[0]) as site:
        yield site


@pytest.fixture
def data(built: tuple[Path, Samples]) -> DataSet:
    """What is served, read from its folder."""
    return DataSet(built[0])


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)
