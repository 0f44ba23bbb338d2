"""Several data sets read as one, the samples of each split one set after the other."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, zip_longest

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

    def __init__(self, sets: Sequence[DataSet], most: Sequence[int | None] = ()) -> None:
        """Join `sets`, at least one; of each no more than its `most` of a split, the first ones.

        None, as where `most` has no more, means all.
        """
        self.sets = list(sets)
        self.folder, self.where = self.sets[0].folder, self.sets[0].where
        self._most = most
        parts = {split: sum(self._counts(split)) for split in SPLITS}
        self.manifest = _join([data.manifest for data in self.sets], parts)

    def _counts(self, split: str) -> list[int]:
        counts = [data.manifest.splits.get(split, 0) for data in self.sets]
        return [
            count if most is None else min(count, most)
            for count, most in zip_longest(counts, self._most)
        ]

    def count(self, split: str) -> int:
        """Return how many samples the sets have of `split`; 0 where none has it."""
        return self.manifest.splits[split]

    def ready(self, split: str) -> int:
        """Return the same: the sets are finished."""
        return self.count(split)

    def prepare(self, split: str, indices: np.ndarray) -> None:
        """Prepare as `DataSet.prepare` does, each set its own."""
        for data, _, own in self._parts(split, np.ravel(indices)):
            data.prepare(split, own)

    def gather(
        self, split: str, indices: np.ndarray, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gather as `DataSet.gather` does; an index counts on from one set to the next."""
        images = np.empty((len(indices), HEIGHT, WIDTH), np.uint8) if out is None else out
        digits = np.empty((len(indices), MAX_DIGITS), np.int8)
        for data, rows, own in self._parts(split, indices):
            part = np.empty((len(rows), HEIGHT, WIDTH), images.dtype)
            _, digits[rows] = data.gather(split, own, part)
            images[rows] = part
        return images, digits

    def names(self, split: str, indices: np.ndarray) -> list[str]:
        """Name samples as `DataSet.names` does, and before each the set that it is of."""
        named: dict[int, str] = {}
        for data, rows, own in self._parts(split, indices):
            called = [f"{data.manifest.name}/{name}" for name in data.names(split, own)]
            named |= zip(rows.tolist(), called, strict=True)
        return [named[row] for row in range(len(indices))]

    def _parts(
        self, split: str, indices: np.ndarray
    ) -> Iterator[tuple[DataSet, np.ndarray, np.ndarray]]:
        """Give each set that has some of these samples (b,), which they are, and its indices."""
        indices = np.asarray(indices, np.int64)
        starts = np.array([0, *accumulate(self._counts(split))])
        if indices.size and not 0 <= indices.min() <= indices.max() < starts[-1]:
            raise UserError(
                f"samples {indices.min()}..{indices.max()} are asked of split {split!r} of "
                f"{self.manifest.name}, which has {starts[-1]}"
            )
        owners = np.searchsorted(starts, indices, side="right") - 1
        for number, data in enumerate(self.sets):
            rows = np.flatnonzero(owners == number)
            if len(rows):
                yield data, rows, indices[rows] - starts[number]


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
