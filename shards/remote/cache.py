"""A folder of shards from elsewhere, bounded in size, that several processes share.

A shard lies there as <SHA-256>.tar, whichever sets it is of, and is hash-checked before it has
that name. <SHA-256>.<bytes>.part is one that is coming. Whoever fetches one holds an exclusive
lock on it, whoever reads one a shared lock; only what nobody has locked is ever removed. The
system drops the locks of a process that dies.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pooch

from shards.errors import UserError
from shards.files import make_folder
from shards.lock import try_lock
from shards.manifest import ShardEntry

FOLDER, GIGABYTES = "DIGIT_READERS_CACHE", "DIGIT_READERS_CACHE_GB"
_DEFAULT_GB = 20.0
_POLL, _PATIENCE = 0.1, 60.0  # seconds


class Cache:
    """The shards in `folder`, of no more than `limit` bytes together."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        make_folder(folder)

    @classmethod
    def of_user(cls) -> "Cache":
        """Open the folder that the environment names, else the user's; UserError for no number."""
        text = os.environ.get(GIGABYTES, str(_DEFAULT_GB))
        try:
            limit = float(text) * 1e9
        except ValueError:
            limit = 0.0
        if not 0 < limit < float("inf"):
            raise UserError(f"{GIGABYTES} is {text!r}: give gigabytes, a number above 0")
        folder = os.environ.get(FOLDER) or Path(pooch.os_cache("digit-readers")) / "shards"
        return cls(Path(folder), int(limit))

    def path(self, entry: ShardEntry) -> Path:
        """Where a shard lies, once it is there."""
        return self.folder / f"{entry.sha256}.tar"

    def has(self, entry: ShardEntry) -> bool:
        """Whether a shard is there now."""
        return self.path(entry).exists()

    def hold(self, entry: ShardEntry) -> BinaryIO | None:
        """Keep a shard from being removed until the file returned is closed; None if not there."""
        try:
            file = self.path(entry).open("rb")
        except FileNotFoundError:
            return None
        while not try_lock(file, shared=True):  # for the moment in which someone looks at it
            time.sleep(_POLL)
        if not _is_named(file, self.path(entry)):
            file.close()
            return None
        os.utime(self.path(entry))  # the least recently used goes first
        return file

    def drop(self, entry: ShardEntry) -> None:
        """Remove a shard that has rotted; who has mapped it keeps what they have."""
        self.path(entry).unlink(missing_ok=True)

    def add(self, entry: ShardEntry, load: Callable[[Path], None], wait: bool = True) -> None:
        """Have `load` fill a file with a shard, unless it is there or another process does so.

        load: completes the file given, which may have a beginning, to the very bytes of `entry`.
        Without `wait` nothing happens where the shards in use leave no room; else UserError after
        a minute without any.
        """
        part = self.folder / f"{entry.sha256}.{entry.bytes}.part"
        since = time.monotonic()
        while not self.has(entry):
            try:
                file = self._claim(part, entry)
            except _FullError:
                if not wait:
                    return
                if time.monotonic() - since > _PATIENCE:
                    raise UserError(
                        f"{self.folder} holds {self.limit / 1e9:g} GB, of which too much is in use "
                        f"for {entry.file} to fit: set {GIGABYTES} higher, or end another reader"
                    ) from None
                file = None
            if file is None:
                time.sleep(_POLL)
                continue
            with file:
                load(part)
                part.replace(self.path(entry))

    def _claim(self, part: Path, entry: ShardEntry) -> BinaryIO | None:
        """Make room and lock `part`; None where it is there by now or another process has it."""
        with (self.folder / ".lock").open("wb") as guard:
            while not try_lock(guard):
                time.sleep(_POLL / 10)
            if self.has(entry):
                return None
            if not self._make_room(part, entry.bytes):
                raise _FullError
            file = part.open("ab")
            if not try_lock(file):
                file.close()
                return None
            if self.has(entry):  # the other process was done just now
                part.unlink(missing_ok=True)
                file.close()
                return None
            return file

    def _make_room(self, part: Path, size: int) -> bool:
        """Remove the least recently used until `size` more bytes fit; whether they do."""
        files = sorted(self._files(part), key=lambda item: item[0])
        used = size + sum(reserved for _, reserved, _ in files)
        for _, reserved, path in files:
            if used <= self.limit:
                break
            if _remove(path):
                used -= reserved
        return used <= self.limit

    def _files(self, but: Path) -> list[tuple[float, int, Path]]:
        """The time of last use, the bytes, at the end, and the path of each file but one."""
        found = []
        for path in self.folder.iterdir():
            if path == but or path.suffix not in (".tar", ".part"):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:  # its .part has just become a .tar: counted as that, or next
                continue
            whole = path.suffix == ".tar" or not path.name.split(".")[1].isdecimal()
            size = status.st_size if whole else int(path.name.split(".")[1])
            found.append((status.st_mtime, size, path))
        return found


class _FullError(Exception):
    """What is in use leaves no room."""


def _remove(path: Path) -> bool:
    """Remove a file unless some process has locked it."""
    try:
        with path.open("rb") as file:
            if not try_lock(file):
                return False
            path.unlink()
    except FileNotFoundError:
        return True
    except PermissionError:  # Windows keeps what is open
        return False
    return True


def _is_named(file: BinaryIO, path: Path) -> bool:
    """Whether `path` is still the name of this open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
