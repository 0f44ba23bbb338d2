"""Data sets to train on: what their files' names, sizes and hashes show, before the first step.

Whatever else `shards verify` finds, it finds in files whose SHA-256 is not that of the manifest,
or in data that was built so.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from shards.errors import UserError
from shards.inventory import file_fault
from shards.manifest import Manifest, ShardEntry
from shards.opening import open_data
from shards.reader import DataSet
from shards.remote.place import is_url
from shards.terminal import progress


def open_sound(
    place: str | Path, splits: Sequence[str], partial: bool = False
) -> tuple[DataSet, list[ShardEntry]]:
    """Open a data set of which the shards of `splits` are those of its manifest, bit for bit.

    With `partial` missing shards are left out of it. Returns it and the shards left out. Of a
    data set that is still being built, the shards that are there must have the size planned. Of one
    at a URL each shard is checked as it comes.

    Raises UserError for a shard that is damaged or another's, for a missing one unless
    `partial`, for a split with none left, and where `DataSet` does.
    """
    data = open_data(place)
    if is_url(place):
        return data, []
    entries = [entry for entry in data.manifest.shards if entry.split in splits]
    there = [entry for entry in entries if (data.folder / entry.file).exists()]
    _refuse(data.folder, _faults(data, there))
    building = any(entry.sha256 is None for entry in entries)
    here = {entry.file for entry in there}
    missing = [] if building else [entry for entry in entries if entry.file not in here]
    if missing and not partial:
        _refuse(
            data.folder,
            [f"{entry.file} is missing" for entry in missing],
            ", or train on the rest by --allow-partial",
        )
    if not missing:
        return data, []
    part = without(data.manifest, missing)
    for split in splits:
        if data.manifest.splits.get(split) and not part.splits[split]:
            raise UserError(f"{place} has no shard of the split {split!r} left: fetch it again")
    return DataSet(data.folder, part), missing


def without(manifest: Manifest, missing: Sequence[ShardEntry]) -> Manifest:
    """Return the manifest of what is left: another version and fingerprint, fewer samples."""
    lost = {entry.file for entry in missing}
    shards = [entry for entry in manifest.shards if entry.file not in lost]
    names = " ".join([manifest.fingerprint, *(entry.file for entry in missing)])
    base, plus, build = manifest.version.partition("+")
    return replace(
        manifest,
        version=f"{base}+{build}{plus and '.'}partial",
        shards=shards,
        splits={
            split: sum(entry.count for entry in shards if entry.split == split)
            for split in manifest.splits
        },
        fingerprint=hashlib.sha256(names.encode()).hexdigest(),
    )


def _faults(data: DataSet, entries: Sequence[ShardEntry]) -> list[str]:
    def check(entry: ShardEntry) -> str | None:
        fault = file_fault(data.folder / entry.file, entry, data.manifest)
        return fault.text if fault else None

    with progress("shards") as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(bar.track(pool.map(check, entries), len(entries), description="checking"))
    return [fault for fault in found if fault]


def _refuse(folder: Path, faults: list[str], or_else: str = "") -> None:
    if faults:
        more = f", and {len(faults) - 1} more shards are faulty" if faults[1:] else ""
        raise UserError(
            f"{folder}: {faults[0]}{more}; see shards verify {folder}, and fetch or build "
            f"them again{or_else}"
        )
