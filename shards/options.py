"""What the commands that take folders of data sets, and pictures to draw, share."""

import re
from pathlib import Path
from typing import TypeVar

from shards.errors import UserError
from shards.files import check_png
from shards.remote.place import redacted

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # as a Path has it

T = TypeVar("T", Path, list[Path])


def local(value: T) -> T:
    """Return the folders that a command is given; UserError for a URL, which is none."""
    for path in value if isinstance(value, list) else [value]:
        if _URL.match(str(path)):
            raise UserError(
                f"{redacted(str(path).replace(':/', '://', 1))} is a URL, where a folder is "
                "wanted: shards pull fetches a data set into one, shards push sends one there"
            )
    return value


def picture(value: Path | None) -> Path | None:
    """Return the PNG that a command is to draw, if any; UserError for a file of another suffix."""
    if value is not None:
        check_png(value)
    return value
