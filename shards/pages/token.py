"""The secret in a page's address, without which the server answers no request of a program."""

import os
import secrets
from pathlib import Path

import pooch

from shards.errors import UserError

_BYTES = 16
_NAME = "pages-token"


def token() -> str:
    """Return this user's token, 32 hex digits, which only she can read; make it where none is.

    It is kept, so that an open page goes on by itself when its server was started anew. UserError
    where the file holds something else.
    """
    path = Path(pooch.os_cache("digit-readers")) / _NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(_BYTES))
    found = path.read_text(encoding="ascii", errors="replace")
    if len(found) != 2 * _BYTES or set(found) - set("0123456789abcdef"):
        raise UserError(f"{path} holds no token of 32 hex digits; remove it")
    return found
