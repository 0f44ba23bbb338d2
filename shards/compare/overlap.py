"""What two data sets share: writers, digits and whole pictures.

The smaller set is taken piece by piece, and for each the larger one is walked through once (a
block nested loop join), so that beside a piece only two bytes are kept for each sample.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, islice

import numpy as np

from shards.compare.walk import BATCH, Batch, place, walk
from shards.compare.whose import Whose, Writer, on_one_scale
from shards.decode import read_boxes_and_ids, read_digits
from shards.reader import DataSet
from shards.terminal import progress

EXAMPLES = 3  # of each kind
KINDS = ("digits", "pictures")
_PIECE = 256  # batches of the smaller set at once: about 60 MB of numbers

Marks = dict[str, np.ndarray]  # by kind: int64 (n, marks of a sample), -1 where absent


@dataclass
class Side:
    """Some splits of a data set, and what was found in them.

    writers: those of whom there are digits, each with a sample, like 'train-00003.tar 000012345'.
    shared: by kind, how many samples have a digit, or the picture, of a sample of the other side.
    """

    data: DataSet
    splits: Collection[str]
    whose: Whose
    writers: dict[Writer, str] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    def __len__(self) -> int:
        return sum(self.data.count(split) for split in self.splits)

    def read(self, batch: Batch) -> Marks:
        """Return what is looked for of samples, and note their writers.

        A picture is known by 63 bits of its hash: of a million million pairs of others, one in
        nine million is taken for equal.
        """
        digits, right = read_digits(batch.records["txt"])
        digits[~right] = -1
        _, ids = read_boxes_and_ids(batch.records["json"], digits)
        owners = self.whose.owners(ids)
        for owner, first in zip(*np.unique(owners, return_index=True), strict=True):
            if owner >= 0:
                sample = batch.place(int(first) // ids.shape[1])
                self.writers.setdefault(self.whose.writers[owner], sample)
        images = np.ascontiguousarray(batch.records["png"]["rows"][:, :, 1:])
        hashes = b"".join(hashlib.blake2b(image, digest_size=8).digest() for image in images)
        pictures = np.frombuffer(hashes, np.int64)[:, None] & np.iinfo(np.int64).max
        return {"digits": self.whose.digits(ids, owners), "pictures": pictures}


@dataclass
class Overlap:
    """Two sides, and of each kind examples: a sample of the first and one of the second."""

    sides: tuple[Side, Side]
    examples: dict[str, list[tuple[str, str]]]

    @property
    def writers(self) -> list[tuple[Writer, Writer]]:
        """Writers of the first side, each with whom she is on the second."""
        theirs = {name: writer for writer in self.sides[1].writers for name in writer.known_as}
        pairs: dict[tuple[str, str], tuple[Writer, Writer]] = {}
        for writer in self.sides[0].writers:
            for name in writer.known_as:
                if name in theirs:
                    pairs.setdefault(writer.known_as[0], (writer, theirs[name]))
        return list(pairs.values())

    @property
    def found(self) -> bool:
        """Whether they share anything."""
        return bool(self.writers) or any(self.sides[0].shared.values())


def overlap(
    one: DataSet, other: DataSet, splits: Collection[str] = (), other_splits: Collection[str] = ()
) -> Overlap:
    """Compare `splits` of one data set with `other_splits` of another; none given are all.

    Raises UserError for a split that is not there or empty, and for shards missing or cut off.
    """
    whose = on_one_scale([one.manifest, other.manifest])
    first, second = (
        Side(
            data,
            list(dict.fromkeys(chosen)) or [s for s, n in data.manifest.splits.items() if n],
            digits,
        )
        for data, chosen, digits in ((one, splits, whose[0]), (other, other_splits, whose[1]))
    )
    for side in (first, second):
        for split in side.splits:
            side.data.require(split)
    small, large = sorted((first, second), key=len)
    pieces = -(-len(small) // (_PIECE * BATCH))
    with progress("samples") as bar:
        task = bar.add_task("overlap", total=len(small) + pieces * len(large))
        examples = _join(small, large, lambda count: bar.advance(task, count))
    if small is second:
        examples = {kind: [pair[::-1] for pair in pairs] for kind, pairs in examples.items()}
    return Overlap((first, second), examples)


class _Piece:
    """Samples of the smaller side, found by what they have."""

    def __init__(self, batches: list[tuple[str, int, int]], marks: np.ndarray) -> None:
        """`batches` are file, first key and count; `marks` int64 (n, some), -1 where absent."""
        self._batches, self._width = batches, marks.shape[1]
        self._ends = list(accumulate(count for _, _, count in batches))
        self._values, self._owners, self._places = np.unique(
            marks.ravel(), return_index=True, return_inverse=True
        )
        self._hit = np.zeros(len(self._values), np.bool_)

    def find(self, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which marks, int64 (b, m), samples of the piece have, too, and where in it."""
        places = np.searchsorted(self._values, marks).clip(max=len(self._values) - 1)
        found = (self._values[places] == marks) & (marks >= 0)
        self._hit[places[found]] = True
        return found, places

    def owner(self, at: int) -> str:
        """Name a sample that has the mark at this place."""
        row = int(self._owners[at]) // self._width
        number = bisect_right(self._ends, row)
        file, first, count = self._batches[number]
        return place(file, first + row - self._ends[number] + count)

    def shared(self) -> int:
        """Return how many samples have a mark that was found."""
        return int(self._hit[self._places].reshape(-1, self._width).any(axis=1).sum())


def _join(
    small: Side, large: Side, done: Callable[[int], object]
) -> dict[str, list[tuple[str, str]]]:
    """Find what two sides share; returns examples, and counts in `shared` of both."""
    examples: dict[str, list[tuple[str, str]]] = {kind: [] for kind in KINDS}
    seen = {kind: np.zeros(len(large), np.bool_) for kind in KINDS}
    for pieces in _pieces(small, done):
        row = 0
        for batch in walk(large.data, large.splits):
            for kind, marks in large.read(batch).items():
                found, places = pieces[kind].find(marks)
                seen[kind][row : row + len(batch)] |= found.any(axis=1)
                rows = np.flatnonzero(found.any(axis=1))[: EXAMPLES - len(examples[kind])]
                for at in rows.tolist():
                    mark = places[at, found[at].argmax()]
                    examples[kind].append((pieces[kind].owner(int(mark)), batch.place(at)))
            row += len(batch)
            done(len(batch))
        for kind, piece in pieces.items():
            small.shared[kind] += piece.shared()
    large.shared = {kind: int(rows.sum()) for kind, rows in seen.items()}
    return examples


def _pieces(side: Side, done: Callable[[int], object]) -> Iterator[dict[str, _Piece]]:
    samples = walk(side.data, side.splits)
    while True:
        batches, marks = [], []
        for batch in islice(samples, _PIECE):
            batches.append((batch.file, batch.first, len(batch)))
            marks.append(side.read(batch))
            done(len(batch))
        if not batches:
            return
        yield {kind: _Piece(batches, np.concatenate([m[kind] for m in marks])) for kind in KINDS}
