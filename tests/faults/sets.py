"""Small data sets to damage."""

import dataclasses
from pathlib import Path

from shards.manifest import (
    FORMAT,
    Manifest,
    fingerprint,
    histograms,
    own_fingerprint,
    read_manifest,
    shard_name,
    write_manifest,
)
from shards.record import Samples
from shards.writer import write_shard
from tests.shards.conftest import random_samples

RECORD, END = 7168, 1024
IDS = (100, 900)


def write_set(folder: Path, shards: int, samples_each: int, seed: int = 0) -> Samples:
    """Write a data set of one split, `train`, and return its samples."""
    folder.mkdir()
    count = shards * samples_each
    samples = random_samples(count, seed, IDS)
    samples.images[:, [0, -1]] = samples.images[:, :, [0, -1]] = 0  # noise on black
    entries = [
        write_shard(
            folder / shard_name("train", i), samples.part(start, start + samples_each), start
        )
        for i, start in enumerate(range(0, count, samples_each))
    ]
    source = {"name": "noise", "licence": "CC0", "count": 900, "sha256": "ab" * 32}
    decisive = {
        "seed": seed,
        "recipe": {},
        "splits": {"train": count},
        "sources": [{**source, "writers": [["ann", "train", *IDS]]}],
        "tools": {},
    }
    manifest = Manifest(
        format=FORMAT,
        name="noise",
        version="1.0.0",
        shards=entries,
        histograms=histograms(samples.digits),
        fingerprint=fingerprint(**decisive, shard_size=samples_each),
        **decisive,
    )
    write_manifest(manifest, folder / "manifest.json")
    return samples


def edit_manifest(folder: Path, **changes: object) -> None:
    """Change fields of a manifest; without a fingerprint among them, the right one is set."""
    manifest = dataclasses.replace(read_manifest(folder / "manifest.json"), **changes)
    if "fingerprint" not in changes:
        manifest = dataclasses.replace(manifest, fingerprint=own_fingerprint(manifest))
    write_manifest(manifest, folder / "manifest.json")


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
