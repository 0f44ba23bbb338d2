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
    parts, entries, key = [], [], 0
    for (split, count), writer in zip(COUNTS.items(), WRITERS, strict=True):
        samples = random_samples(count, seed=count, ids=(writer[2], writer[3]))
        parts.append(samples)
        for number, start in enumerate(range(0, count, SHARD_SIZE)):
            part = samples.part(start, start + SHARD_SIZE)
            entries.append(write_shard(folder / shard_name(split, number), part, key))
            key += len(part)
    names = ("images", "digits", "boxes", "ids")
    merged = Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    source = {
        "name": "noise",
        "licence": "CC0",
        "count": 900,
        "sha256": "ab" * 32,
        "writers": WRITERS,
    }
    recipe = {"height": [20, 28], "gap": {"touch": 0.25}}
    decisive = {
        "seed": 7,
        "recipe": recipe,
        "splits": dict(COUNTS),
        "sources": [source],
        "tools": {"numpy": np.__version__},
    }
    manifest = Manifest(
        format=FORMAT,
        name="noise",
        version="1.0.0",
        shards=entries,
        histograms=histograms(merged.digits),
        fingerprint=fingerprint(**decisive, shard_size=SHARD_SIZE),
        **decisive,
    )
    write_manifest(manifest, folder / "manifest.json")
    write_card(manifest, folder)
    return merged


@pytest.fixture(scope="session")
def make_samples() -> Callable[..., Samples]:
    return random_samples


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Samples]:
    """A fresh data set that a test may damage, and its samples in key order."""
    folder = tmp_path / "set"
    folder.mkdir()
    return folder, build_set(folder)
