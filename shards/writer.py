"""Write one shard: records, then the two zero blocks that end a tar."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from shards.files import replacing
from shards.layout import END_BYTES, RECORD_BYTES
from shards.manifest import ShardEntry, split_of
from shards.record import Samples, build_records

_BATCH = 4096  # records in memory at once: 29 MB


def write_shard(path: Path, samples: Samples | Iterable[Samples], first_key: int) -> ShardEntry:
    """Write `samples` with keys from `first_key` on to `path`, named `<split>-<nnnnn>.tar`.

    The file appears whole or not at all (see `replacing`). Batches of an iterable are consumed
    one by one, so memory stays bounded. Raises UserError for samples that cannot be recorded or
    a name that is no shard's, and OSError where the disk refuses.
    """
    split = split_of(path.name)
    digest, count = hashlib.sha256(), 0
    with replacing(path) as file:
        for batch in _batches(samples):
            records = build_records(batch, first_key + count).data
            file.write(records)
            digest.update(records)
            count += len(batch)
        file.write(bytes(END_BYTES))
        digest.update(bytes(END_BYTES))
    size = count * RECORD_BYTES + END_BYTES
    return ShardEntry(path.name, split, first_key, count, size, digest.hexdigest())


def _batches(samples: Samples | Iterable[Samples]) -> Iterator[Samples]:
    for batch in [samples] if isinstance(samples, Samples) else samples:
        for start in range(0, len(batch), _BATCH):
            yield batch.part(start, start + _BATCH)
