"""The command `generator` with a stream that fails: python -m tests.faults.faulty FAULT KEY ..."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial

from generator import cli, cli_build
from generator.stream import BankStream
from shards.errors import UserError
from shards.record import Samples


@dataclass(frozen=True)
class FaultyStream(BankStream):
    """A stream whose sample `key` cannot be rendered: its process raises, hangs or dies."""

    fault: str
    key: int

    def render(self, split: str, start: int, count: int) -> Samples:
        if start <= self.key < start + count:
            _FAULTS[self.fault]()
        return super().render(split, start, count)


def _raise() -> None:
    raise IndexError("no such glyph")


def _refuse() -> None:
    raise UserError("the glyph is too wide")


_FAULTS = {
    "hang": partial(time.sleep, 3600),
    "raise": _raise,
    "refuse": _refuse,
    "exit": partial(os._exit, 3),
    "kill": partial(signal.raise_signal, signal.SIGKILL),
}


def main() -> None:
    # Where tests run in the background, Ctrl-C may be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fault, key = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:3]
    cli_build.BankStream = partial(FaultyStream, fault=fault, key=key)  # type: ignore[misc,assignment]
    cli.main()


if __name__ == "__main__":
    from tests.faults.faulty import main as run  # workers know the stream by this name

    run()
