"""Samples and small data sets to test on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shards.card import write_card
from shards.manifest import FORMAT, Manifest, fingerprint, histograms, shard_name, write_manifest
from shards.record import Samples
from shards.writer import write_shard

COUNTS = {"test": 20, "val": 10, "train": 70}
WRITERS = [["ann", "test", 0, 100], ["bob", "val", 100, 200], ["cleo", "train", 200, 900]]
SHARD_SIZE = 32


def random_samples(count: int, seed: int = 0, ids: tuple[int, int] = (0, 70_000)) -> Samples:
    """Noise with random labels; all lengths and leading zeros occur."""
    rng = np.random.default_rng(seed)
    present = np.arange(5) < rng.integers(1, 6, count)[:, None]
    corner = rng.integers(0, [100, 20], (count, 5, 2))
    boxes = np.concatenate([corner, rng.integers(1, [28, 12], (count, 5, 2))], axis=-1)
    return Samples(
        images=rng.integers(0, 256, (count, 32, 128), dtype=np.uint8),
        digits=np.where(present, rng.integers(0, 10, (count, 5)), -1).astype(np.int8),
        boxes=(boxes * present[..., None]).astype(np.int16),
        ids=np.where(present, rng.integers(*ids, (count, 5)), -1),
    )


def build_set(folder: Path) -> Samples:
    """Write a sound data set of COUNTS into `folder`; return its samples in key order."""
    splits = {
        split: random_samples(count, seed=count, ids=(writer[2], writer[3]))
        for (split, count), writer in zip(COUNTS.items(), WRITERS, strict=True)
    }
    write_set(folder, splits)
    return join(list(splits.values()))


def join(parts: list[Samples]) -> Samples:
    names = ("images", "digits", "boxes", "ids")
    return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def write_set(
    folder: Path, splits: dict[str, Samples], shard_size: int = SHARD_SIZE, **changes: object
) -> Manifest:
    """Write a data set of these samples; `changes` are fields of its manifest."""
    folder.mkdir(exist_ok=True)
    entries, key = [], 0
    for split, samples in splits.items():
        for number, start in enumerate(range(0, len(samples), shard_size)):
            part = samples.part(start, start + shard_size)
            entries.append(write_shard(folder / shard_name(split, number), part, key))
            key += len(part)
    source = {
        "name": "noise",
        "licence": "CC0",
        "count": 900,
        "sha256": "ab" * 32,
        "writers": WRITERS,
    }
    decisive = {
        "seed": 7,
        "recipe": {"height": [20, 28], "gap": {"touch": 0.25}},
        "splits": {split: len(samples) for split, samples in splits.items()},
        "sources": [source],
        "tools": {"numpy": np.__version__},
    }
    decisive |= {name: value for name, value in changes.items() if name in decisive}
    manifest = Manifest(
        **{
            "format": FORMAT,
            "name": "noise",
            "version": "1.0.0",
            "shards": entries,
            "histograms": histograms(np.concatenate([s.digits for s in splits.values()])),
            "fingerprint": fingerprint(**decisive, shard_size=max(e.count for e in entries)),
        }
        | decisive
        | changes
    )
    write_manifest(manifest, folder / "manifest.json")
    write_card(manifest, folder)
    return manifest


@pytest.fixture(scope="session")
def make_samples() -> Callable[..., Samples]:
    return random_samples


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Samples]:
    """A fresh data set that a test may damage, and its samples in key order."""
    folder = tmp_path / "set"
    folder.mkdir()
    return folder, build_set(folder)
