"""Read shards: memory-mapped images that need no decoding, any sample at once."""

from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.decode import read_boxes_and_ids, read_digits
from shards.errors import UserError
from shards.labels import MAX_DIGITS, to_labels
from shards.layout import END_BYTES, KEY_DIGITS, RECORD, RECORD_BYTES
from shards.manifest import MANIFEST, PLAN, Manifest, ShardEntry, read_manifest


class Shard:
    """One .tar, memory mapped.

    records: RECORD (n,), read-only, the file itself.
    end: uint8 (1024,), the end of the file, which should be zeros.
    images: uint8 (n, 32, 128), a strided view of the file; nothing is decoded.
    """

    def __init__(self, path: Path) -> None:
        """Map the file `path`; UserError where its size is not that of a shard."""
        size = path.stat().st_size
        count, rest = divmod(size - END_BYTES, RECORD_BYTES)
        if rest or count < 0:
            raise UserError(
                f"{path} has {size} bytes, not {END_BYTES} and a multiple of {RECORD_BYTES}: "
                "it is cut off or no shard; fetch or build it again"
            )
        self.path = path
        data = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
        self.records: np.ndarray = data[: count * RECORD_BYTES].view(RECORD)
        self.end: np.ndarray = data[count * RECORD_BYTES :]
        self.images: np.ndarray = self.records["png"]["rows"][:, :, 1:]

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def digits(self) -> np.ndarray:
        """The labels' digits, int8 (n, 5), -1 where absent; UserError at the first bad label."""
        digits, right = read_digits(self.records["txt"])
        if not right.all():
            first = int(np.argmin(right))
            key = bytes(self.records["txt header"]["key"][first]).decode("ascii", "replace")
            raise UserError(
                f"{self.path} has, at sample {key.ljust(KEY_DIGITS)}, a label that is not 1 to "
                f"{MAX_DIGITS} digits: it is damaged or no shard; fetch or build it again"
            )
        digits.flags.writeable = False
        return digits

    def labels(self) -> list[str]:
        """Return the labels as strings, leading zeros kept."""
        return to_labels(self.digits)

    def boxes_and_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the boxes, int16 (n, 5, 4), and bank ids, int64 (n, 5), as in Samples."""
        return read_boxes_and_ids(self.records["json"], self.digits)


class DataSet:
    """A folder of shards with its manifest.json, or one that is still being built (plan.json)."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest; shards are opened when first needed. UserError for no data set."""
        self.folder = Path(folder)
        self.manifest: Manifest = _find_manifest(self.folder)
        self._entries: dict[str, list[ShardEntry]] = {
            split: [entry for entry in self.manifest.shards if entry.split == split]
            for split in self.manifest.splits
        }
        self._starts = {
            split: np.array([0, *accumulate(entry.count for entry in entries)])
            for split, entries in self._entries.items()
        }
        self._shards: dict[str, Shard] = {}
        self._finished = dict.fromkeys(self._entries, 0)

    def count(self, split: str) -> int:
        """Return how many samples `split` has, by the manifest or plan."""
        return int(self._starts_of(split)[-1])

    def ready(self, split: str) -> int:
        """Return how many leading samples of `split` are on disk now: all, once it is built."""
        starts, entries = self._starts_of(split), self._entries[split]
        done = self._finished[split]
        while done < len(entries) and (self.folder / entries[done].file).exists():
            self._shard(entries[done])
            done += 1
        self._finished[split] = done
        return int(starts[done])

    def gather(self, split: str, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gather images, uint8 (b, 32, 128), and digits, int8 (b, 5), of samples in any order.

        indices: integers (b,) within the split, 0..count - 1. Raises UserError for an index
        outside it and for a shard that is missing or damaged.
        """
        starts, entries = self._starts_of(split), self._entries[split]
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and not 0 <= indices.min() <= indices.max() < starts[-1]:
            raise UserError(
                f"samples {indices.min()}..{indices.max()} are asked of split {split!r}, "
                f"which has {starts[-1]}"
            )
        numbers = np.searchsorted(starts, indices, side="right") - 1
        rows = indices - starts[numbers]
        shards = {number: self._shard(entries[number]) for number in np.unique(numbers).tolist()}
        images = np.empty((len(indices), HEIGHT, WIDTH), dtype=np.uint8)
        digits = np.empty((len(indices), MAX_DIGITS), dtype=np.int8)
        # One copy each, straight from the file: a batch of temporaries costs more than the loop.
        for image, number, row in zip(images, numbers.tolist(), rows.tolist(), strict=True):
            image[...] = shards[number].images[row]
        for number, shard in shards.items():
            places = np.flatnonzero(numbers == number)
            digits[places] = shard.digits[rows[places]]
        return images, digits

    def shards(self, split: str) -> list[Shard]:
        """Open the shards of `split`, all of which must be on disk."""
        self._starts_of(split)
        return [self._shard(entry) for entry in self._entries[split]]

    def _starts_of(self, split: str) -> np.ndarray:
        if split not in self._starts:
            has = ", ".join(self._starts) or "none"
            raise UserError(f"{self.folder} has no split {split!r}: it has {has}")
        return self._starts[split]

    def _shard(self, entry: ShardEntry) -> Shard:
        if entry.file not in self._shards:
            self._shards[entry.file] = _open(self.folder / entry.file, entry)
        return self._shards[entry.file]


def _open(path: Path, entry: ShardEntry) -> Shard:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: wait for the build, or fetch it again") from error
    if size != entry.bytes:
        raise UserError(
            f"{path} has {size} bytes where its manifest says {entry.bytes}: "
            "it is cut off or another file; fetch or build it again"
        )
    return Shard(path)


def _find_manifest(folder: Path) -> Manifest:
    # A build that ends just now replaces the plan by the manifest: hence a second look.
    for name in (MANIFEST, PLAN, MANIFEST):
        try:
            return read_manifest(folder / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise UserError(f"{folder} is no data set: it has neither {MANIFEST} nor {PLAN}")
