"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from shards.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the name `path` once all of it is safely on disk.

    It is written as `.<name>.tmp` in the same folder, flushed to the disk, and renamed; when the
    body raises, it is removed and `path` stays as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def save_image(image: Image.Image, path: Path) -> None:
    """Save `image` as the PNG file `path`, whole or not at all; UserError for another suffix."""
    if path.suffix.lower() != ".png":
        raise UserError(f"{path} does not end in .png: name a PNG file")
    with replacing(path) as file:
        image.save(file, "PNG")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder that could be flushed
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
