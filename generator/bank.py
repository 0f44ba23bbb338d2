"""The digit bank: one HDF5 file with every digit, its centreline, writer and split."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from generator.bank_file import FORMAT, read_bank_file
from generator.centreline import centreline_fields
from generator.glyph import DIRECTIONS, SIZE, reach
from generator.loops import INK_THRESHOLD
from generator.sources.digits import BANK_SPLITS, Digits
from shards.errors import UserError
from shards.files import make_folder, replacement
from shards.terminal import progress

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

_IMAGES = ("images", "lines")
_REACHES = ("ink_reach", "line_reach")
_BLOCK = 512


@dataclass(frozen=True)
class Writer:
    """A writer and her digits: the rows `first` to `stop` of the bank."""

    source: str
    name: str
    split: str
    first: int
    stop: int


class Bank:
    """A digit bank, read in place: pages of the file are shared between processes.

    Rows are sorted by split, source, writer and label; a digit's row is its id.

    Attributes:
        images: uint8 (N, 56, 56), white ink on black.
        lines: uint8 (N, 56, 56), distance fields around the centrelines (see `centreline`).
        ink_reach, line_reach: uint8 (N, 64), support functions (see `glyph.reach`).
        offsets: int8 (N, 2), from the centre of mass to the frame's, in glyph px.
        labels: uint8 (N,), 0 to 9.
        writers: in the order of their rows.
        sources: name, licence, count and sha256 of each source, as dicts.

    Raises:
        UserError: The file is missing, no digit bank, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        arrays, writers, self.sources = read_bank_file(path)
        self.writers = [Writer(**writer) for writer in writers]
        self.labels: U8 = arrays["labels"].copy()
        self.offsets: npt.NDArray[np.int8] = arrays["offsets"].copy()
        self.images, self.lines = (arrays[name] for name in _IMAGES)
        self.ink_reach, self.line_reach = (arrays[name] for name in _REACHES)

    def __len__(self) -> int:
        return len(self.labels)

    def __reduce__(self) -> tuple[type["Bank"], tuple[Path]]:
        # Another process maps the file anew, instead of getting a copy of it.
        return Bank, (self.path,)

    @cached_property
    def _pools(self) -> dict[str, "_Pool"]:
        return {split: _Pool(self, split) for split in BANK_SPLITS}

    def has(self, split: str) -> bool:
        """Whether a split has every digit."""
        return bool(self._pools[split].counts.all())

    def check(self, split: str) -> None:
        """Raise UserError where a split lacks a digit."""
        missing = [str(digit) for digit in np.flatnonzero(self._pools[split].counts == 0)]
        if missing:
            raise UserError(
                f"bank {self.path} has no digit {', '.join(missing)} in its {split} split; add "
                f"writers, or ask for no {split} images"
            )

    def pick(
        self,
        split: str,
        labels: npt.NDArray[np.int8],
        *,
        one_writer: npt.NDArray[np.bool_],
        source: npt.NDArray[np.float32],
        writer: npt.NDArray[np.float32],
        digit: npt.NDArray[np.float32],
    ) -> I64:
        """Choose a digit for each place of n numbers.

        A number by one writer takes a source (each weighs as the square root of its digits, so
        that a small folder is heard beside a large one), then a writer of it, then her digits;
        a digit that she lacks, and any number not by one writer, comes from all of the split.

        Args:
            split: Whose writers.
            labels: int8 (n, 5), -1 where absent.
            one_writer: bool (n,).
            source: uniform (n,) in [0, 1): decides the source.
            writer: uniform (n,): decides the writer.
            digit: uniform (n, 5): decides the digit among those that fit.

        Returns:
            int64 (n, 5): rows of the bank, -1 where absent.

        Raises:
            UserError: The split has no digit of some class.
        """
        self.check(split)
        pool = self._pools[split]
        there = labels >= 0
        label = np.where(there, labels, 0).astype(np.int64)
        count, start = pool.counts[label], pool.starts[label]
        anyone = pool.rows[start + np.floor(digit * count).astype(np.int64)]
        chosen = pool.choose_writer(source, writer)[:, None]
        own = pool.writer_counts[chosen, label]
        hers = pool.writer_starts[chosen, label] + np.floor(digit * own).astype(np.int64)
        rows = np.where(one_writer[:, None] & (own > 0), hers, anyone)
        return np.where(there, rows, -1)


class _Pool:
    """The digits of one split, indexed by label, and by source, writer and label."""

    def __init__(self, bank: Bank, split: str) -> None:
        writers = [w for w in bank.writers if w.split == split]
        rows = [np.arange(w.first, w.stop) for w in writers]
        everyone = np.concatenate([*rows, np.zeros(0, np.int64)]).astype(np.int64)
        labels = bank.labels[everyone]
        self.rows = everyone[np.argsort(labels, kind="stable")]
        self.counts = np.bincount(labels, minlength=10)
        self.starts = np.cumsum(self.counts) - self.counts
        self.writer_counts = np.array(
            [np.bincount(bank.labels[r], minlength=10) for r in rows]
        ).reshape(-1, 10)
        first = np.array([w.first for w in writers], np.int64).reshape(-1, 1)
        self.writer_starts = first + np.cumsum(self.writer_counts, axis=1) - self.writer_counts
        # Writers are sorted by source.
        names = np.array([w.source for w in writers])
        _, self.first_writer, self.source_writers = np.unique(
            names, return_index=True, return_counts=True
        )
        digits = [self.writer_counts[f : f + n].sum() for f, n in self._source_ranges()]
        weights = np.sqrt(np.array(digits, np.float64))
        self.thresholds = np.cumsum(weights) / max(weights.sum(), 1)

    def _source_ranges(self) -> list[tuple[int, int]]:
        return list(zip(self.first_writer.tolist(), self.source_writers.tolist(), strict=True))

    def choose_writer(
        self, source: npt.NDArray[np.float32], writer: npt.NDArray[np.float32]
    ) -> I64:
        chosen = np.searchsorted(self.thresholds, source, side="right")
        chosen = np.minimum(chosen, len(self.thresholds) - 1)
        within = np.floor(writer * self.source_writers[chosen]).astype(np.int64)
        first: I64 = self.first_writer[chosen] + within
        return first


def build_bank(path: Path, sources: list[Digits]) -> Bank:
    """Write a bank of these sources, thinning every digit to its centreline, and open it.

    The file appears whole or not at all.

    Raises:
        UserError: Two sources have one name, `sources` is empty, or the disk is full; `path` is a
            folder, or below a file.
        OSError: The folder cannot be written.
    """
    names = [source.name for source in sources]
    if not sources:
        raise UserError(
            "a bank needs a source of digits: name MNIST, a folder, or the embedded ones"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two sources of the bank are called {twice[0]!r}: rename a folder")
    make_folder(path.parent)
    with (
        replacement(path) as temporary,
        _system_errors(path),
        _new_file(temporary) as file,
    ):
        _write(file, sources)
    return Bank(path)


def _new_file(path: Path) -> h5py.File:
    """Create a file that keeps no bytes of arrays back: a full disk is told as they are written.

    HDF5 holds back small arrays until it lets go of them, when h5py can raise nothing any more.
    """
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_sieve_buf_size(0)
    return h5py.File(h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, fapl=access))


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    """Raise as OSError what HDF5 tells of the system's errors, at times in the text alone."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def _write(file: h5py.File, sources: list[Digits]) -> None:
    count = sum(len(source.labels) for source in sources)
    for name in _IMAGES:
        file.create_dataset(name, (count, SIZE, SIZE), "u1")
    for name in _REACHES:
        file.create_dataset(name, (count, DIRECTIONS), "u1")
    file.create_dataset("labels", (count,), "u1")
    file.create_dataset("offsets", (count, 2), "i1")
    writers: list[Writer] = []
    row = 0
    with progress("digits") as bar:
        task = bar.add_task("bank", total=count)
        for split in BANK_SPLITS:
            for source in sorted(sources, key=lambda s: s.name):
                order = _rows_of_split(source, split)
                writers += _writers(source, split, order, row)
                for block in np.split(order, range(_BLOCK, len(order), _BLOCK)):
                    _write_block(file, source, block, row)
                    row += len(block)
                    bar.advance(task, len(block))
    _write_text(file, "writers", [vars(writer) for writer in writers])
    by_name = sorted(sources, key=lambda s: s.name)
    about = [(s.name, s.licence, len(s.labels), s.sha256()) for s in by_name]
    names = ("name", "licence", "count", "sha256")
    _write_text(file, "sources", [dict(zip(names, source, strict=True)) for source in about])
    file.attrs["format"] = FORMAT


def _write_text(file: h5py.File, name: str, rows: list[dict[str, object]]) -> None:
    file[name] = np.frombuffer(json.dumps(rows).encode(), np.uint8)


def _rows_of_split(source: Digits, split: str) -> I64:
    """Rows of a source in one split, sorted by writer, then label."""
    mine = np.array([source.splits[writer] == split for writer in source.writers.tolist()])
    rows = np.flatnonzero(mine)
    return rows[np.lexsort((source.labels[rows], source.writers[rows]))]


def _writers(source: Digits, split: str, order: I64, row: int) -> list[Writer]:
    names, first, counts = np.unique(source.writers[order], return_index=True, return_counts=True)
    return [
        Writer(source.name, str(name), split, row + int(start), row + int(start) + int(n))
        for name, start, n in zip(names, first, counts, strict=True)
    ]


def _write_block(file: h5py.File, source: Digits, rows: I64, at: int) -> None:
    if not len(rows):
        return
    images = source.images[rows]
    if source.hairlines is None:
        lines = centreline_fields(images, source.labels[rows])
    else:
        lines = centreline_fields(source.hairlines[rows])
    part = slice(at, at + len(rows))
    file["images"][part] = images
    file["lines"][part] = lines
    file["ink_reach"][part] = reach(images >= INK_THRESHOLD)
    file["line_reach"][part] = reach(lines >= 255 - 12)
    file["offsets"][part] = source.offsets[rows]
    file["labels"][part] = source.labels[rows]
