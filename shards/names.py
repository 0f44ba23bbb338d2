"""What the splits of a data set and the files of its shards are called."""

import re

from shards.errors import UserError

SPLITS = ("test", "val", "train")  # in the order of their keys, so that train can grow at its end
MAX_SHARDS = 10**5  # of a data set: names have five digits, and manifests an end

_SHARD_NAME = re.compile(rf"({'|'.join(SPLITS)})-\d{{5}}\.tar", re.ASCII)


def shard_name(split: str, number: int) -> str:
    """Return the file name of the shard `number` (from 0) of `split`."""
    return f"{split}-{number:05}.tar"


def split_of(file: str) -> str:
    """Return the split that the shard named `file` is of; UserError if that is no shard's name."""
    match = _SHARD_NAME.fullmatch(file)
    if not match:
        raise UserError(f"{file!r} is no name of a shard: it must be like 'train-00000.tar'")
    return match[1]
