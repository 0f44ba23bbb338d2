"""Several data sets read as one, the samples of each split one set after the other."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.manifest import SPLITS, Manifest
from shards.reader import DataSet


class Joined(DataSet):
    """One data set of several finished ones, to train on or to measure with; nothing is copied.

    It has no shards of its own, and whether its splits share a writer cannot be proven: ids are
    those of different banks.
    """

    def __init__(self, sets: Sequence[DataSet], most: int | None = None) -> None:
        """Join `sets`, at least one; of each no more than the first `most` of a split are taken."""
        self.sets = list(sets)
        self.folder, self.where = self.sets[0].folder, self.sets[0].where
        self._most = most
        parts = {split: sum(self._counts(split)) for split in SPLITS}
        self.manifest = _join([data.manifest for data in self.sets], parts)

    def _counts(self, split: str) -> list[int]:
        counts = [data.manifest.splits.get(split, 0) for data in self.sets]
        return counts if self._most is None else [min(count, self._most) for count in counts]

    def count(self, split: str) -> int:
        """Return how many samples the sets have of `split`; 0 where none has it."""
        return self.manifest.splits[split]

    def ready(self, split: str) -> int:
        """Return the same: the sets are finished."""
        return self.count(split)

    def gather(
        self, split: str, indices: np.ndarray, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gather as `DataSet.gather` does; an index counts on from one set to the next."""
        indices = np.asarray(indices, np.int64)
        starts = np.array([0, *accumulate(self._counts(split))])
        if indices.size and not 0 <= indices.min() <= indices.max() < starts[-1]:
            raise UserError(f"split {split!r} of {self.manifest.name} has {starts[-1]} samples")
        images = np.empty((len(indices), HEIGHT, WIDTH), np.uint8) if out is None else out
        digits = np.empty((len(indices), MAX_DIGITS), np.int8)
        owners = np.searchsorted(starts, indices, side="right") - 1
        for number, data in enumerate(self.sets):
            rows = np.flatnonzero(owners == number)
            if len(rows):
                found = data.gather(split, indices[rows] - starts[number])
                images[rows], digits[rows] = found
        return images, digits


def _join(manifests: Sequence[Manifest], splits: dict[str, int]) -> Manifest:
    parts = " ".join([*(manifest.fingerprint for manifest in manifests), str(splits)])
    return replace(
        manifests[0],
        name="+".join(manifest.name for manifest in manifests),
        recipe={"name": "+".join(str(m.recipe.get("name", "-")) for m in manifests)},
        splits=splits,
        sources=[source for manifest in manifests for source in manifest.sources],
        shards=[],
        additions=[],
        histograms={},
        fingerprint=hashlib.sha256(parts.encode()).hexdigest(),
    )
