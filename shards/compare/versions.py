"""What a data set has become: which of its samples changed, and so which version it is now.

Samples are compared byte by byte, key by key, however they are packed into shards. The change is
- major: samples changed, are gone or are in another split,
- minor: samples were added, and those of before are unchanged,
- patch: the samples are the same; other shards hold them, or the manifest says something else.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from shards.compare.walk import Batch, side_by_side, walk
from shards.decode import read_digits
from shards.errors import UserError
from shards.labels import to_labels
from shards.manifest import MANIFEST, Manifest, add_histograms, histograms
from shards.reader import DataSet
from shards.terminal import progress

EXAMPLES = 24  # changed samples that are kept, at most
_PARTS = {"pictures": "png", "labels": "txt", "boxes or ids": "json"}


@dataclass(frozen=True)
class Example:
    """A sample that changed: its key, and images, uint8 (32, 128), and labels before and after."""

    key: int
    images: tuple[np.ndarray, np.ndarray]
    labels: tuple[str, str]


@dataclass
class Diff:
    """Two data sets, sample by sample.

    same, changed: samples that both have. parts: of those that changed, how many in which part.
    added, gone: samples that one of them has, by split. examples: changed ones, spread over all.
    histograms: of the labels of each set, as `shards.manifest.histograms` returns them.
    """

    old: Manifest
    new: Manifest
    same: int = 0
    changed: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    histograms: tuple[dict[str, Any], dict[str, Any]] = ({}, {})

    @property
    def level(self) -> str:
        """`major`, `minor`, `patch` or `none`, where nothing but name and version may differ."""
        if self.changed or self.gone:
            return "major"
        if self.added:
            return "minor"
        old = replace(self.old, name=self.new.name, version=self.new.version)
        return "none" if old == self.new else "patch"

    @property
    def version(self) -> str:
        """The version that the new set should have, going by that of the old one."""
        major, minor, patch = numbers(self.old.version)
        return {
            "major": f"{major + 1}.0.0",
            "minor": f"{major}.{minor + 1}.0",
            "patch": f"{major}.{minor}.{patch + 1}",
            "none": self.old.version,
        }[self.level]


def numbers(version: str) -> list[int]:
    """Major, minor and patch of a version, without what comes behind a - or +."""
    return [int(number) for number in version.partition("+")[0].split("-")[0].split(".")]


def diff(old: Path, new: Path) -> Diff:
    """Compare two finished data sets, in bounded memory.

    Raises UserError where one is not finished or has no manifest, or lacks a shard.
    """
    sets = [_finished(old), _finished(new)]
    found = Diff(sets[0].manifest, sets[1].manifest)
    counts = [[histograms(np.zeros((0, 5), np.int8))] for _ in sets]
    stride = 1  # of the changed samples that become examples
    with progress("samples") as bar:
        total = sum(sum(data.manifest.splits.values()) for data in sets)
        task = bar.add_task("diff", total=total)
        for pair in side_by_side(walk(sets[0]), walk(sets[1])):
            for batch, count in zip(pair, counts, strict=True):
                if batch:
                    count[:] = [add_histograms([*count, _count(batch)])]
                    bar.advance(task, len(batch))
            stride = _compare(found, *pair, stride)
    found.histograms = (counts[0][0], counts[1][0])
    return found


def _finished(folder: Path) -> DataSet:
    data = DataSet(folder)
    if not (data.folder / MANIFEST).exists():
        raise UserError(f"{folder} is still being built: compare it once it has a {MANIFEST}")
    return data


def _count(batch: Batch) -> dict[str, Any]:
    digits, right = read_digits(batch.records["txt"])
    return histograms(digits[right])


def _compare(found: Diff, old: Batch | None, new: Batch | None, stride: int) -> int:
    """Add a piece to what was found; returns the stride of examples from here on."""
    if old is None or new is None:
        for batch, counter in ((old, found.gone), (new, found.added)):
            if batch:
                counter[batch.split] += len(batch)
        return stride
    differs = _bytes(old.records) != _bytes(new.records)
    changed = differs.any(axis=1)
    if old.split != new.split:
        changed[:] = True
        found.parts["splits"] += len(changed)
    rows = np.flatnonzero(changed)
    if not len(rows):
        found.same += len(changed)
        return stride
    for name, part in _PARTS.items():
        parts = _bytes(old.records[part][rows]) != _bytes(new.records[part][rows])
        found.parts[name] += int(parts.any(axis=1).sum())
    for number, row in enumerate(rows.tolist(), found.changed):
        if number % stride == 0:
            found.examples.append(_example(old, new, row))
        if len(found.examples) > EXAMPLES:
            found.examples, stride = found.examples[::2], 2 * stride
    found.changed += len(rows)
    found.same += len(changed) - len(rows)
    return stride


def _bytes(records: np.ndarray) -> np.ndarray:
    """Records, or a part of each, as uint8 (n, bytes)."""
    return np.ascontiguousarray(records).view(np.uint8).reshape(len(records), -1)


def _example(old: Batch, new: Batch, row: int) -> Example:
    pair = [batch.records[row : row + 1] for batch in (old, new)]
    images = [records["png"]["rows"][0, :, 1:].copy() for records in pair]
    labels = []
    for records in pair:
        digits, right = read_digits(records["txt"])
        labels.append(to_labels(digits)[0] if right[0] else "no label")
    return Example(old.first + row, (images[0], images[1]), (labels[0], labels[1]))
