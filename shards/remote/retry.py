"""Try again what networks break, with growing pauses; what will not change is told at once."""

import errno
import random
import time
from collections.abc import Callable
from typing import TypeVar

from shards.errors import UserError

TRIES = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
_BUSY = (408, 425, 429)  # answers below 500 that another time may be better
_NEVER = 501  # the one above that will not: what is asked is not implemented
_HERE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # faults of this machine's disk

T = TypeVar("T")


def persistently(thing: str, attempt: Callable[[int], T]) -> T:
    """Return what `attempt` returns, called with 0, 1, ... until it raises nothing.

    Between two tries it waits twice as long each time, less a random part (full jitter), so that
    many readers do not come back at once.

    Raises:
        UserError: `thing` is not there or not allowed, or TRIES in a row have failed. It tells the
            kind of the last error, never its text, in which there may be secrets of the URL.
    """
    for tried in range(TRIES):
        try:
            return attempt(tried)
        except UserError:
            raise
        except Exception as error:  # each filesystem raises kinds of its own
            if isinstance(error, OSError) and error.errno in _HERE:
                raise
            final, reason = _judge(error)
        if final:
            break
        if tried + 1 < TRIES:
            time.sleep(random.uniform(0.1, 1) * min(FIRST_PAUSE * 2**tried, LONGEST_PAUSE))
    times = "" if final else f" {TRIES} times in a row"
    raise UserError(f"{thing} could not be reached{times} ({reason}): {_way_out(final)}")


def _judge(error: Exception) -> tuple[bool, str]:
    """Whether trying again is in vain, and what kind of error it is."""
    answer = getattr(error, "response", None)  # as httpx has it; aiohttp has the status itself
    status = getattr(error, "status", None) or getattr(answer, "status_code", None)
    if isinstance(error, FileNotFoundError) or status == 404:
        return True, "it is not there"
    if isinstance(error, (NotADirectoryError, IsADirectoryError)):
        return True, "a file is where a folder should be, or a folder where a file"
    if isinstance(error, PermissionError) or status in (401, 403):
        return True, "access is denied"
    if isinstance(status, int):
        return status not in _BUSY and (status < 500 or status == _NEVER), f"HTTP {status}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return False, "it stalls"
    if "Credentials" in type(error).__name__:
        return True, "there are no credentials for it"
    return False, type(error).__name__


def _way_out(final: bool) -> str:
    if final:
        return "check the URL and your rights there"
    return "try again later, it goes on from there"
