"""Write one shard: records, then the two zero blocks that end a tar."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shards.files import replacing
from shards.layout import END_BYTES, JSON_START, RECORD_BYTES
from shards.manifest import ShardEntry, split_of
from shards.record import Samples, build_records
from shards.sums import json_sums

_BATCH = 512  # records in memory at once: 3.7 MB, which the cache holds


def write_shard(path: Path, samples: Samples | Iterable[Samples], first_key: int) -> ShardEntry:
    """Write `samples` with keys from `first_key` on to `path`, named `<split>-<nnnnn>.tar`.

    The file appears whole or not at all (see `replacing`). Batches of an iterable are consumed
    one by one, so memory stays bounded. Raises UserError for samples that cannot be recorded or
    a name that is no shard's, and OSError where the disk refuses.
    """
    split_of(path.name)  # before a file is begun
    with replacing(path) as file:
        return write_shard_into(file, path.name, samples, first_key)


def write_shard_into(
    file: BinaryIO, name: str, samples: Samples | Iterable[Samples], first_key: int
) -> ShardEntry:
    """Write the shard of this name into an open file; see `write_shard`."""
    split = split_of(name)
    digest, sums, count = hashlib.sha256(), np.zeros(2, np.uint64), 0
    for batch in _batches(samples):
        records = build_records(batch, first_key + count)
        file.write(records.data)
        digest.update(records.data)
        sums += json_sums(records[:, JSON_START:], count)
        count += len(batch)
    file.write(bytes(END_BYTES))
    digest.update(bytes(END_BYTES))
    size = count * RECORD_BYTES + END_BYTES
    return ShardEntry(name, split, first_key, count, size, digest.hexdigest(), sums.tolist())


def _batches(samples: Samples | Iterable[Samples]) -> Iterator[Samples]:
    for batch in [samples] if isinstance(samples, Samples) else samples:
        for start in range(0, len(batch), _BATCH):
            yield batch.part(start, start + _BATCH)
