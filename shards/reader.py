"""Read shards: memory-mapped images that need no decoding, any sample at once."""

import threading
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.decode import read_boxes_and_ids, read_digits
from shards.errors import UserError
from shards.files import allow_open_files
from shards.labels import MAX_DIGITS, to_labels
from shards.layout import END_BYTES, KEY_DIGITS, RECORD, RECORD_BYTES, SAMPLE, SAMPLE_START
from shards.manifest import COMPACT, MANIFEST, PLAN, Manifest, ShardEntry, read_manifest

_ANOTHER = "name another data set, or build one with it"
_PIECE = 64  # samples copied at once, images made floats at once: they stay in the cache
_SCALE = np.float32(1 / 255)  # times that is twice as fast as by 255, and 255 still becomes 1


class Shard:
    """One .tar, memory mapped.

    records: RECORD (n,), read-only, the file itself.
    end: uint8 (1024,), the end of the file, which should be zeros.
    images: uint8 (n, 32, 128), a strided view of the file; nothing is decoded.
    samples: V5078 (n,), another one: of each record the bytes of a SAMPLE.
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
        self.images: np.ndarray = self.records["png"]["rows"][:, :, 1:]
        rows = data[: count * RECORD_BYTES].reshape(count, RECORD_BYTES)
        sample = rows[:, SAMPLE_START : SAMPLE_START + SAMPLE.itemsize]
        self.samples: np.ndarray = sample.view(f"V{SAMPLE.itemsize}")[:, 0]

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

    def __init__(self, folder: Path, manifest: Manifest | None = None) -> None:
        """Read the manifest; shards are opened when first needed. UserError for no data set.

        manifest: that of the set, where it is known already or not all shards are to be read.
        """
        self.folder = Path(folder)
        self.where = str(folder)  # as it is named to people
        self.manifest: Manifest = manifest or _find_manifest(self.folder)
        allow_open_files(len(self.manifest.shards))
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

    def require(self, split: str) -> None:
        """Raise UserError unless `split` has samples."""
        if self.count(split) == 0:
            raise UserError(f"{self.where} has no images of the split {split!r}; {_ANOTHER}")

    def ready(self, split: str) -> int:
        """Return how many leading samples of `split` are on disk now: all, once it is built."""
        starts, entries = self._starts_of(split), self._entries[split]
        done = self._finished[split]
        while done < len(entries) and (self.folder / entries[done].file).exists():
            _check_size(self.folder / entries[done].file, entries[done])
            done += 1
        self._finished[split] = done
        return int(starts[done])

    def file(self, entry: ShardEntry) -> Path:
        """Return the path of a shard, which need not be there."""
        return self.folder / entry.file

    def prepare(self, split: str, indices: np.ndarray) -> None:
        """Make the samples `indices`, integers of any shape, fit to be gathered soon.

        Nothing to do for a folder; a data set that is read from elsewhere begins to fetch them.
        """

    def at_hand(self, split: str) -> int:
        """Return how many leading samples of `split` cost little to look at: all on disk now."""
        return self.ready(split)

    def gather(
        self, split: str, indices: np.ndarray, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gather images, uint8 (b, 32, 128), and digits, int8 (b, 5), of samples in any order.

        indices: integers (b,) within the split, 0..count - 1. out: an array (b, 32, 128) for the
        images, uint8 or float32; of the latter they fill 0..1. Fresh memory for floats costs more
        than to read them, so a loop does well to give the same array each time. Raises UserError
        for an index outside the split, another `out`, and a shard that is missing or damaged.
        """
        numbers, rows = self._locate(split, indices)
        shards = {n: self._shard(self._entries[split][n]) for n in set(numbers.tolist())}
        shape = (len(rows), HEIGHT, WIDTH)
        images = np.empty(shape, np.uint8) if out is None else out
        if images.shape != shape or images.dtype not in (np.uint8, np.float32):
            raise UserError(
                f"out is {images.dtype} {images.shape}, not uint8 or float32 {shape}: give an "
                "array of that kind, or none"
            )
        samples = _fetch({n: shard.samples for n, shard in shards.items()}, numbers, rows)
        _spread(samples["rows"][:, :, 1:], images)
        digits, right = read_digits(samples["label"])
        if not right.all():
            _ = shards[int(numbers[right.argmin()])].digits  # says which
        return images, digits

    def keys(self, split: str, indices: np.ndarray) -> np.ndarray:
        """Return the keys of samples, int64 (b,), which as 9 digits are the names of their files.

        indices as in `gather`. UserError for an index outside the split.
        """
        numbers, rows = self._locate(split, indices)
        firsts = np.array([entry.first_key for entry in self._entries[split]], np.int64)
        return np.asarray(firsts[numbers] + rows)

    def names(self, split: str, indices: np.ndarray) -> list[str]:
        """Return the names of the files of samples, without their endings; as `keys` otherwise."""
        return [f"{key:0{KEY_DIGITS}}" for key in self.keys(split, indices).tolist()]

    def _locate(self, split: str, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which shards of the split hold these samples, and in which rows, int64 (b,)."""
        starts = self._starts_of(split)
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and not 0 <= indices.min() <= indices.max() < starts[-1]:
            raise UserError(
                f"samples {indices.min()}..{indices.max()} are asked of split {split!r}, "
                f"which has {starts[-1]}"
            )
        numbers = np.searchsorted(starts, indices, side="right") - 1
        return numbers, indices - starts[numbers]

    def ready_shards(self, split: str) -> list[Shard]:
        """Open the leading shards of `split` that are on disk now: all, once it is built."""
        self.ready(split)
        return [self._shard(entry) for entry in self._entries[split][: self._finished[split]]]

    def open(self, entry: ShardEntry) -> Shard:
        """Open a shard and forget it again; UserError where it is missing or cut off."""
        return _open(self.file(entry), entry)

    def shards(self, split: str) -> list[Shard]:
        """Open the shards of `split`, all of which must be on disk."""
        self._starts_of(split)
        return [self._shard(entry) for entry in self._entries[split]]

    def _starts_of(self, split: str) -> np.ndarray:
        if split not in self._starts:
            has = ", ".join(self._starts) or "none"
            raise UserError(f"{self.where} has no split {split!r}: it has {has}; {_ANOTHER}")
        return self._starts[split]

    def _shard(self, entry: ShardEntry) -> Shard:
        if entry.file not in self._shards:
            self._shards[entry.file] = _open(self.file(entry), entry)
        return self._shards[entry.file]


def _fetch(samples: dict[int, np.ndarray], numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Copy these rows of the shards of these numbers, straight from the files: SAMPLE (b,).

    Shard by shard, so that one call of NumPy copies many. The next batch overwrites them.
    """
    fetched = _scratch.get(len(rows))
    order = np.argsort(numbers, kind="stable")
    rows, shards = rows[order], numbers[order].tolist()
    starts = [i for i, shard in enumerate(shards) if i == 0 or shard != shards[i - 1]]
    for start, stop in pairwise([*starts, len(rows)]):
        source = samples[shards[start]]
        for first in range(start, stop, _PIECE):
            part = slice(first, min(first + _PIECE, stop))
            fetched[order[part]] = source[rows[part]]
    return fetched.view(SAMPLE)


class _Scratch(threading.local):
    """Memory kept from one batch to the next: fresh pages cost more than reading."""

    def __init__(self) -> None:
        self._kept = np.empty(0, f"V{SAMPLE.itemsize}")

    def get(self, count: int) -> np.ndarray:
        """Room for so many samples, V5078 (count,)."""
        if len(self._kept) < count:
            self._kept = np.empty(count, self._kept.dtype)
        return self._kept[:count]


_scratch = _Scratch()


def _spread(pixels: np.ndarray, images: np.ndarray) -> None:
    """Copy pixels, uint8 (b, 32, 128), into `images`; where these are floats, as 0..1."""
    if images.dtype == np.uint8:
        images[...] = pixels
        return
    for start in range(0, len(images), _PIECE):
        piece = images[start : start + _PIECE]
        piece[...] = pixels[start : start + _PIECE]
        piece *= _SCALE


def _open(path: Path, entry: ShardEntry) -> Shard:
    _check_size(path, entry)
    return Shard(path)


def _check_size(path: Path, entry: ShardEntry) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: wait for the build, or fetch it again") from error
    if size != entry.bytes:
        raise UserError(
            f"{path} has {size} bytes where its manifest says {entry.bytes}: "
            "it is cut off or another file; fetch or build it again"
        )


def _find_manifest(folder: Path) -> Manifest:
    # A build that ends just now replaces the plan by the manifest: hence a second look.
    for name in (MANIFEST, PLAN, MANIFEST):
        try:
            manifest = read_manifest(folder / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if manifest.part:
            raise UserError(
                f"{folder} is the part {manifest.part} of a data set; join all of them by "
                "shards merge"
            )
        return manifest
    if (folder / COMPACT).exists():
        raise UserError(f"{folder} is a compact data set: run shards expand {folder} FOLDER first")
    raise UserError(f"{folder} is no data set: it has neither {MANIFEST} nor {PLAN}")
