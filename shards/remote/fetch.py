"""Fetch one file: in pieces, from where the last try has ended, checked by its SHA-256."""

import os
from collections.abc import Callable
from pathlib import Path

from shards.compact import Packed, unpack
from shards.errors import UserError
from shards.inventory import sha256
from shards.manifest import ShardEntry
from shards.remote.place import Place
from shards.remote.retry import persistently

PIECE = 1 << 20  # bytes asked for at once
_SMALLEST = 1 << 14
_COPIES = 3  # of a file fetched whole whose SHA-256 is another, before it counts as damaged there


def never() -> bool:
    """Stop at no time."""
    return False


def fetch_shard(
    place: Place,
    entry: ShardEntry,
    wire: Packed,
    part: Path,
    stopped: Callable[[], bool] = never,
) -> None:
    """Fetch the shard `entry`, which travels as `wire`, into `part`; go on where that ends.

    When this returns, `part` has the bytes and the SHA-256 of `entry` and is flushed to the disk.

    Raises:
        UserError: The file is not there, cannot be reached, or is not that of the manifest; or
            `stopped` is true.
        OSError: This machine's disk refuses.
    """
    for _ in range(_COPIES):
        complete(place, wire.file, wire.bytes, part, stopped)
        if sha256(part) == wire.sha256:
            break
        part.write_bytes(b"")
    else:
        raise UserError(
            f"{place.name}/{wire.file} was fetched {_COPIES} times and never had the SHA-256 that "
            "its manifest says: it is damaged there, or of another version; push it again"
        )
    if wire.file != entry.file:
        shard = unpack(part.read_bytes(), entry, f"{place.name}/{wire.file}")
        part.write_bytes(shard)
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def complete(
    place: Place, name: str, size: int, part: Path, stopped: Callable[[], bool] = never
) -> None:
    """Append to `part` what it lacks of the file `name`, which has `size` bytes.

    UserError where that cannot be had; what has come stays.
    """
    with part.open("ab") as file:
        if file.tell() > size:
            file.truncate(0)
        while file.tell() < size:
            if stopped():
                raise UserError(f"{place.name}/{name} was not fetched whole: run it again")
            start = file.tell()
            data = read_piece(place, name, start, min(start + PIECE, size))
            file.write(data[: size - start])


def read_piece(place: Place, file: str, start: int, stop: int) -> bytes:
    """Return some bytes of a file from `start` on, at most to `stop`; after each failure fewer.

    More of a server that knows no ranges. UserError where they cannot be had.
    """

    def attempt(tried: int) -> bytes:
        size = min(max((stop - start) >> 2 * tried, _SMALLEST), stop - start)
        data = place.read(file, start, start + size)
        if len(data) < size:
            raise EOFError(f"{len(data)} bytes came, not {size}")
        return data

    return persistently(f"{place.name}/{file}", attempt)
