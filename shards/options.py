"""What the commands that take folders of data sets share."""

import re
from pathlib import Path
from typing import TypeVar

from shards.errors import UserError
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
