"""Files that are there whole or not at all."""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from shards.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OURS = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
_OTHER_FILES = 512  # what a process may have open beside shards


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it is to lie in, unless they are there; see `refuse_file`."""
    refuse_file(folder)
    folder.mkdir(parents=True, exist_ok=True)


def refuse_file(folder: Path, way_out: str = "name another folder") -> None:
    """Raise UserError where a file is at, or above, the place of a folder that may be new."""
    for path in (folder, *folder.parents):
        if path.is_dir():
            return
        if path.exists() or path.is_symlink():
            what = "a file" if path.exists() else "a link to nothing"
            raise UserError(f"{path} is {what}: {way_out}")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the name `path` once all of it is safely on disk.

    See `replacement`.
    """
    with replacement(path) as temporary, temporary.open("wb") as file:
        yield file


@contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """Give a name to write a file under, which takes the name `path` once it is safely on disk.

    The name is `.<name>.<8 hex digits>.tmp` in the same folder, another one each time, so that of
    two processes that write one file the last wins. The file is flushed to the disk, renamed, and
    its folder flushed; when the body raises, it is removed and `path` stays as it was.

    Raises:
        UserError: The disk is full, or a limit on sizes is reached, or there is no such folder;
            `path` is a folder, which is told before the body runs.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file in it, or elsewhere")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with told_when_full(path):
            yield temporary
            _sync(temporary, os.O_RDWR)
            temporary.replace(path)
    finally:
        with suppress(OSError):  # as of a disk that is read-only, which has been told
            temporary.unlink()
    if os.name != "nt":  # Windows has no handle on a folder that could be flushed
        _sync(path.parent, os.O_RDONLY)


@contextmanager
def told_when_full(path: Path) -> Iterator[None]:
    """Turn the errors of a disk on which `path` is being written into UserErrors that name it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise UserError(
                f"{path} could not be written ({os.strerror(error.errno)}); free some space, or "
                "name another folder"
            ) from error
        if not path.parent.is_dir():
            raise UserError(f"{path.parent} is no folder: make it, or name another") from error
        error.filename = str(path)  # not the temporary name, which tells a person nothing
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes have left half-written; no process may be writing there."""
    for path in folder.glob(".*.tmp"):
        if _OURS.fullmatch(path.name):
            path.unlink()


def check_png(path: Path) -> None:
    """Raise UserError unless `path` has the name of a PNG file."""
    if path.suffix.lower() != ".png":
        raise UserError(f"{path} does not end in .png: name a PNG file")


def save_image(image: Image.Image, path: Path) -> None:
    """Save `image` as the PNG file `path`, whole or not at all; UserError for another suffix."""
    check_png(path)
    with replacing(path) as file:
        image.save(file, "PNG")


def allow_open_files(count: int) -> None:
    """Let this process keep `count` files open beside its others, as far as the system lets it.

    A mapped file counts as open, and many systems begin with a limit of 1,024.
    """
    if os.name == "nt":  # Windows has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
