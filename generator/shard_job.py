"""The unit of a build: one shard, rendered and written, wherever that happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from generator.stream import Stream
from shards.files import replacing
from shards.finish import Result
from shards.layout import KEY_DIGITS
from shards.manifest import ShardEntry, histograms
from shards.record import Samples
from shards.writer import write_shard_into

# Samples rendered before they are written: bounds a worker's memory.
_BATCH = 2048


@dataclass(frozen=True)
class ShardJob:
    """Builds shards of `stream` in `folder`; goes to other processes by pickle."""

    folder: Path
    stream: Stream

    def alone(self, entry: ShardEntry) -> Result:
        """Build a shard as one process of several, which share the cores."""
        cv2.setNumThreads(0)
        return self.build(entry)

    def build(self, entry: ShardEntry) -> Result:
        """Render and write one shard, whole or not at all.

        Raises:
            Exception: A sample could not be rendered; a note on the error says which.
        """
        with replacing(self.folder / entry.file) as file:
            return self.build_into(file, entry)

    def build_into(self, file: BinaryIO, entry: ShardEntry) -> Result:
        """Render one shard and write it into an open file; raises what `build` does."""
        digits = []

        def batches() -> Iterator[Samples]:
            end = entry.first_key + entry.count
            for first in range(entry.first_key, end, _BATCH):
                samples = self._render(entry, range(first, min(first + _BATCH, end)))
                digits.append(samples.digits)
                yield samples

        written = write_shard_into(file, entry.file, batches(), entry.first_key)
        return written, histograms(np.concatenate(digits))

    def _render(self, entry: ShardEntry, keys: range) -> Samples:
        try:
            return self.stream.render(entry.split, keys.start, len(keys))
        except Exception as error:
            error.add_note(f"at {entry.file}, {names(self._failing(entry, keys))}")
            raise

    def _failing(self, entry: ShardEntry, keys: range) -> range:
        """The first of the samples that fails alone, or all of them where none does."""
        for key in keys:
            try:
                self.stream.render(entry.split, key, 1)
            except Exception:  # noqa: BLE001 - the error is raised already
                return range(key, key + 1)
        return keys


def names(keys: range) -> str:
    """Name samples for a sentence: 'samples 000000040 to 000000049'."""
    first, last = f"{keys[0]:0{KEY_DIGITS}}", f"{keys[-1]:0{KEY_DIGITS}}"
    return f"sample {first}" if len(keys) == 1 else f"samples {first} to {last}"
