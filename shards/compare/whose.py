"""Whose digits samples are made of, so that data sets of different banks can be compared.

An id is a row of the bank that a set was built with, and means nothing beside another bank. But a
source of digits with the same SHA-256 is the same images, writers and splits in the same order:
there the place of a digit among its writer's says which it is, in any bank.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shards.manifest import Manifest

# The SHA-256 of a source, a writer's name, and which of her ranges of ids in it.
_Range = tuple[str, str, int]


@dataclass(frozen=True)
class Writer:
    """A writer of a data set: of which source, with which bank ids, first to stop - 1.

    Whose digits do not lie together has several such ranges.
    """

    name: str
    source: str
    sha256: str
    first: int
    stop: int

    @property
    def known_as(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """By which two names she is known; one of them in common is the same person.

        Her source is known by its hash, and where digits were added to it by its name alone.
        """
        return (self.sha256, self.name), (self.source, self.name)

    def __str__(self) -> str:
        return f"{self.name!r} of {self.source}"


class Whose:
    """The writers of one data set, and its digits on a scale that it shares with others.

    writers: sorted by their ids.
    """

    def __init__(self, writers: Sequence[Writer], scale: dict[_Range, int]) -> None:
        """`scale` says where the digits of each range of ids begin on the scale."""
        self.writers = sorted(writers, key=lambda writer: (writer.first, writer.stop))
        self._starts = np.array([writer.first for writer in self.writers], np.int64)
        self._stops = np.array([writer.stop for writer in self.writers], np.int64)
        shifts = [scale[known] - writer.first for known, writer in _ranges(self.writers)]
        self._shifts = np.array(shifts, np.int64)

    def owners(self, ids: np.ndarray) -> np.ndarray:
        """Return whose digits `ids`, int64 (...), are: places in `writers`, -1 for nobody's."""
        if not self.writers:
            return np.full(ids.shape, -1)
        places = np.searchsorted(self._starts, ids, side="right") - 1
        theirs = (places >= 0) & (ids < self._stops[places])
        return np.where(theirs, places, -1)

    def digits(self, ids: np.ndarray, owners: np.ndarray) -> np.ndarray:
        """Return the ids on the shared scale: equal numbers are the same digits; -1 nobody's."""
        if not self.writers:
            return np.full(ids.shape, -1)
        return np.where(owners >= 0, ids + self._shifts[owners], -1)


def on_one_scale(manifests: Sequence[Manifest]) -> list[Whose]:
    """Return whose digits the sets have, with one scale for all; of nobody's where not known."""
    writers = [_writers(manifest) for manifest in manifests]
    scale: dict[_Range, int] = {}
    stop = 0
    for known, writer in (pair for of_one in writers for pair in _ranges(of_one)):
        if known not in scale:
            scale[known] = stop
            stop += writer.stop - writer.first
    return [Whose(of_one, scale) for of_one in writers]


def _ranges(writers: Sequence[Writer]) -> Iterator[tuple[_Range, Writer]]:
    """Yield each range of ids in their order, and which of its writer's it is."""
    seen: Counter[tuple[str, str]] = Counter()
    for writer in sorted(writers, key=lambda writer: (writer.first, writer.stop)):
        name = writer.sha256, writer.name
        yield (*name, seen[name]), writer
        seen[name] += 1


def _writers(manifest: Manifest) -> list[Writer]:
    def writers_of(source: dict[str, Any]) -> list[Writer]:
        return [
            Writer(name, source["name"], source["sha256"], first, stop)
            for name, _, first, stop in source["writers"]
        ]

    known = manifest.sources if manifest.writers_known else []
    return [writer for source in known for writer in writers_of(source)]
