"""The samples of a data set in the order of their keys, whatever its shards, a batch at a time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from shards.layout import KEY_DIGITS
from shards.reader import DataSet

BATCH = 1024


@dataclass(frozen=True)
class Batch:
    """Samples that follow one another in a shard.

    records: RECORD (n,), n at least 1, views of the file. first: the key of the first.
    """

    file: str
    split: str
    first: int
    records: np.ndarray

    def __len__(self) -> int:
        return len(self.records)

    @property
    def stop(self) -> int:
        """The key after the last."""
        return self.first + len(self)

    def cut(self, key: int) -> tuple["Batch", "Batch | None"]:
        """Return what comes before `key`, at least one sample, and the rest; None for no rest."""
        head, tail = np.split(self.records, [key - self.first])
        rest = Batch(self.file, self.split, key, tail) if len(tail) else None
        return Batch(self.file, self.split, self.first, head), rest

    def place(self, row: int) -> str:
        """Name a sample by file and key."""
        return place(self.file, self.first + row)


def place(file: str, key: int) -> str:
    """Name a sample: 'train-00003.tar 000012345'."""
    return f"{file} {key:0{KEY_DIGITS}}"


def walk(data: DataSet, splits: Collection[str] | None = None) -> Iterator[Batch]:
    """Walk through the samples of `splits`, of all by default; one shard is open at a time.

    Raises UserError for a shard that is missing or has another size than the manifest says.
    """
    for entry in sorted(data.manifest.shards, key=lambda entry: entry.first_key):
        if splits is not None and entry.split not in splits:
            continue
        records = data.open(entry).records
        for start in range(0, entry.count, BATCH):
            part = records[start : start + BATCH]
            yield Batch(entry.file, entry.split, entry.first_key + start, part)


def side_by_side(
    old: Iterator[Batch], new: Iterator[Batch]
) -> Iterator[tuple[Batch | None, Batch | None]]:
    """Cut two walks into pieces of the same keys; None stands for keys that one of them lacks."""
    walks, now = (old, new), [next(old, None), next(new, None)]
    while there := [batch for batch in now if batch]:
        first = min(batch.first for batch in there)
        stop = min(batch.stop if batch.first == first else batch.first for batch in there)
        heads: list[Batch | None] = [None, None]
        for side, batch in enumerate(now):
            if batch and batch.first == first:
                heads[side], rest = batch.cut(stop)
                now[side] = rest or next(walks[side], None)
        yield heads[0], heads[1]
