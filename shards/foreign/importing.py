"""Foreign WebDatasets to a data set of ours: what is sound is converted, what is not is listed."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import PIL

from shards import __version__
from shards.errors import UserError
from shards.files import make_folder, refuse_file, replacing
from shards.finish import finish
from shards.foreign.samples import Found, Refusal, read_samples
from shards.foreign.tar import read_contents
from shards.foreign.tars import Tar, at_hand, find_tars
from shards.inventory import sha256
from shards.labels import MAX_DIGITS, to_digits
from shards.manifest import (
    FORMAT,
    IMPORTED,
    SPLITS,
    Manifest,
    ShardEntry,
    add_histograms,
    fingerprint,
    histograms,
    shard_name,
)
from shards.record import Samples
from shards.terminal import progress
from shards.writer import write_shard

REFUSED = "refused.jsonl"
_SHARD_SIZE, _BATCH = 4096, 256


@dataclass
class Report:
    """What an import has taken and what not.

    as_is, fitted: samples converted without a change and by `fit`. unread: files left unread as
    asked. unused: fields of JSON files that have no place in a record.
    """

    as_is: int = 0
    fitted: int = 0
    unread: int = 0
    unused: set[str] = field(default_factory=set)
    refused: list[Refusal] = field(default_factory=list)


def import_tars(
    places: Sequence[str | Path],
    out: Path,
    split: str = "train",
    licence: str = "unknown",
    ignore: Sequence[str] = (),
) -> Report:
    """Convert the tars among `places`, folders and URLs too, to a data set in the empty `out`.

    Gzipped ones are unpacked, those at URLs fetched first, into a folder beside `out` for the
    while. A tar's split is that which its name begins with, else `split`. Files whose names end
    in one of `ignore` are left unread. All that is not taken is listed in refused.jsonl, an object
    with tar, key (null: the rest of the tar) and reason on each line. The same tars give the same
    bytes. Raises UserError for a tar with members that no data set needs (see `tar`), before
    anything is decoded, for an `out` that is not empty, and where nothing is sound.
    """
    found = find_tars(places, split)
    refuse_file(out, "name the new folder last, after the tars")
    if there := sorted({path.name for path in out.glob("*")} - {REFUSED}):
        raise UserError(
            f"{out} is not empty, it has {there[0]}: import into a new folder, or remove what a "
            "killed import left"
        )
    if globs := [ending for ending in ignore if set(ending) & set("*?[")]:
        raise UserError(f"no file's name ends in {globs[0]!r}: give an ending like .json")
    beside = next(folder for folder in out.resolve().parents if folder.is_dir())
    with TemporaryDirectory(prefix=".import-", dir=beside) as spare:
        with progress("tars") as bar:
            tracked = bar.track(found, len(found), description="fetching")
            tars = [at_hand(place, of, Path(spare)) for place, of in tracked]
        for tar in tars:
            read_contents(tar.path, ignore, tar.name)
        return _convert(tars, out, licence, ignore)


def _convert(tars: list[Tar], out: Path, licence: str, ignore: Sequence[str]) -> Report:
    make_folder(out)
    job = _Import(out, tars, ignore)
    job.write_shards()
    report = job.report
    with replacing(out / REFUSED) as file:
        for refusal in report.refused:
            file.write(json.dumps(asdict(refusal), ensure_ascii=True).encode() + b"\n")
    if not job.entries:
        found = f"the {len(report.refused)} samples found; {out / REFUSED} says why"
        raise UserError(f"nothing is imported of {found}")
    finish(job.manifest(licence), out)
    return report


class _Import:
    def __init__(self, out: Path, tars: list[Tar], ignore: Sequence[str]) -> None:
        self.out, self.tars, self.ignore = out, tars, ignore
        self.report = Report()
        self.entries: list[ShardEntry] = []
        self._writers: list[list[Any]] = []
        self._digits = 0  # so far; a digit's number is its id
        self._counts: list[dict[str, Any]] = []
        self._split_of: dict[bytes, str] = {}  # by the hash of a picture

    def write_shards(self) -> None:
        """Convert all that is sound, split after split."""
        key = 0
        with progress("tars") as bar:
            task = bar.add_task("import", total=len(self.tars))
            for split in SPLITS:
                first_digit = self._digits
                samples = self._read(split, lambda: bar.advance(task))
                for number in count():
                    shard = list(islice(samples, 1))
                    if not shard:
                        break
                    batches = self._batches(chain(shard, islice(samples, _SHARD_SIZE - 1)))
                    entry = write_shard(self.out / shard_name(split, number), batches, key)
                    self.entries.append(entry)
                    key += entry.count
                if self._digits > first_digit:
                    name = f"unknown hands of {split}"
                    self._writers.append([name, split, first_digit, self._digits])

    def manifest(self, licence: str) -> Manifest:
        """Describe what was written."""
        splits = {
            split: sum(entry.count for entry in self.entries if entry.split == split)
            for split in SPLITS
        }
        hashes = "".join(sha256(tar.path) for tar in self.tars)
        source = {
            "name": self.out.resolve().name,
            "licence": licence,
            "count": self._digits,
            "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
            "writers": self._writers,
        }
        report = self.report
        decisive: dict[str, Any] = {
            "seed": 0,
            "recipe": {"name": IMPORTED, "as_is": report.as_is, "fitted": report.fitted},
            "splits": {split: size for split, size in splits.items() if size},
            "sources": [source],
            "tools": {
                "digit-readers": __version__,
                "numpy": np.__version__,
                "pillow": PIL.__version__,
            },
        }
        return Manifest(
            format=FORMAT,
            name=self.out.resolve().name,
            version="1.0.0",
            shards=self.entries,
            histograms=add_histograms(self._counts),
            fingerprint=fingerprint(
                **decisive, shard_size=max(entry.count for entry in self.entries)
            ),
            **decisive,
        )

    def _read(self, split: str, done: Any) -> Iterator[Found]:
        for tar in self.tars:
            if tar.split != split:
                continue
            contents = read_contents(tar.path, self.ignore, tar.name)
            self.report.unread += contents.unread
            for found in read_samples(tar, contents):
                refusal = found if isinstance(found, Refusal) else self._leak(found, split)
                if refusal:
                    self.report.refused.append(refusal)
                elif isinstance(found, Found):
                    yield found
            done()

    def _leak(self, found: Found, split: str) -> Refusal | None:
        """Refuse a picture that another split has already."""
        digest = hashlib.blake2b(found.canvas.tobytes(), digest_size=16).digest()
        other = self._split_of.setdefault(digest, split)
        if other == split:
            return None
        return Refusal(found.tar, found.key, f"its picture is also in the split {other!r}")

    def _batches(self, samples: Iterable[Found]) -> Iterator[Samples]:
        stream = iter(samples)
        while batch := list(islice(stream, _BATCH)):
            yield self._to_samples(batch)

    def _to_samples(self, batch: list[Found]) -> Samples:
        digits = to_digits([found.label for found in batch])
        boxes = np.zeros((len(batch), MAX_DIGITS, 4), np.int16)
        for row, found in zip(boxes, batch, strict=True):
            row[: len(found.boxes)] = found.boxes
            self.report.as_is += found.as_is
            self.report.fitted += not found.as_is
            self.report.unused |= found.unused
        ids = np.full(digits.shape, -1, np.int64)
        present = digits >= 0
        ids[present] = np.arange(self._digits, self._digits + present.sum())
        self._digits += int(present.sum())
        self._counts.append(histograms(digits))
        return Samples(np.stack([found.canvas for found in batch]), digits, boxes, ids)
