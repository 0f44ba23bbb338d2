"""The split proof: every digit belongs to one writer, and every writer to one split."""

from itertools import pairwise

import numpy as np

from shards.manifest import Manifest


def writer_faults(manifest: Manifest) -> list[str]:
    """List the writers that are in two splits or share bank ids with another."""
    faults = []
    split_of: dict[tuple[str, str], str] = {}
    ranges = []
    for source in manifest.sources:
        for writer, split, first, stop in source["writers"]:
            name = f"writer {writer!r} of {source['name']}"
            other = split_of.setdefault((source["name"], writer), split)
            if other != split:
                faults.append(f"{name} is in {other} and in {split}")
            if not 0 <= first <= stop:
                faults.append(f"{name} has digits {first} to {stop}, which is no range")
            ranges.append((first, stop, name))
    for (_, stop, name), (first, _, other) in pairwise(sorted(ranges)):
        if first < stop:
            faults.append(f"{name} and {other} share digit {first}")
    return faults


def digit_ranges(manifest: Manifest, split: str) -> np.ndarray:
    """Return the half-open ranges of bank ids of the writers of `split`, int64 (n, 2), sorted."""
    ranges = [
        (first, stop)
        for source in manifest.sources
        for _, writer_split, first, stop in source["writers"]
        if writer_split == split
    ]
    return np.array(sorted(ranges), dtype=np.int64).reshape(-1, 2)


def foreign(ids: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Tell which of `ids`, int64 (...), lie in none of the sorted `ranges`: bool (...)."""
    starts, stops = np.vstack([[-1, -1], ranges]).T
    return np.asarray(ids >= stops[np.searchsorted(starts, ids, side="right") - 1])
