"""A lock on a folder: one process at a time builds, or trains, in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shards.errors import UserError

LOCK = ".lock"


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Keep other processes from entering this block with the same folder; `doing` tells them why.

    The system lets go of the lock when its process ends, however it ends, so that the file `.lock`
    that a killed one leaves shuts nobody out. Windows has no such locks: nobody is kept out there.

    Raises:
        UserError: Another process is in it.
    """
    if os.name == "nt":
        yield
        return
    path = folder / LOCK
    while True:
        with path.open("wb") as file:
            _lock(file, folder, doing)
            if not os.fstat(file.fileno()).st_nlink:
                continue  # the one before us has removed it since we opened it
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def try_lock(file: BinaryIO, shared: bool = False) -> bool:
    """Lock an open file until it is closed; False where another has it, in this process or not.

    A shared lock keeps out those that are not. On Windows it is True and locks nothing.
    """
    if os.name == "nt":
        return True
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(file: BinaryIO, folder: Path, doing: str) -> None:
    if not try_lock(file):
        raise UserError(
            f"another process is {doing} {folder}; wait until it is done, or name another folder"
        )
