"""Two sums over the JSON files of a shard, by which one changed file is found.

Any other change to a record contradicts another part of it; another box or id does not. The sums
are those of Fletcher (IEEE Trans. Commun. 30(1), 1982) over the CRC-32 c_i of the i-th file, from
1: the sum of c_i and the sum of i * c_i, modulo 2**64. If one file changes, their differences d
and i * d tell which.
"""

import zlib

import numpy as np


def json_sums(files: np.ndarray, first: int = 0) -> np.ndarray:
    """Return the two sums, uint64 (2,), of JSON files, uint8 (n, 512), `first` files into a shard.

    Sums of parts of a shard add up to those of the whole.
    """
    checksums = np.fromiter(map(zlib.crc32, np.ascontiguousarray(files)), np.uint64, len(files))
    places = np.arange(first + 1, first + len(files) + 1, dtype=np.uint64)
    return np.array([checksums.sum(), (places * checksums).sum()], np.uint64)


def changed_file(found: np.ndarray, right: np.ndarray, count: int) -> int | None:
    """Return which of `count` files, from 0, has changed, if exactly one has; else None."""
    difference, weighted = found - right
    places = np.flatnonzero(np.arange(1, count + 1, dtype=np.uint64) * difference == weighted)
    return int(places[0]) if len(places) == 1 else None
