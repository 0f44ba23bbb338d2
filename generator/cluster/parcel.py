"""A build's job on its way to machines that may not see its files."""

import dataclasses
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from generator.bank import Bank
from generator.shard_job import ShardJob
from generator.stream import BankStream, Stream
from shards.errors import UserError
from shards.files import replacing
from shards.inventory import sha256


@dataclass(frozen=True)
class BankFile:
    """A bank's file: where it is on the machine that packed it, its SHA-256, how to get its bytes.

    fetch: returns them, uint8 (n,); called at most once a machine.
    """

    path: Path
    sha256: str
    fetch: Callable[[], np.ndarray] = field(compare=False)

    def open(self) -> Bank:
        """Open the bank, which keeps open for the next call: at its path, or a copy of it here.

        UserError where the bytes on their way have changed.
        """
        return _open(self)

    def _find(self) -> Path:
        copy = Path(tempfile.gettempdir()) / f"digit-readers-{self.sha256[:16]}.h5"
        for path in (self.path, copy):
            if path.is_file() and sha256(path) == self.sha256:
                return path
        with replacing(copy) as file:
            file.write(self.fetch().data)
        if sha256(copy) != self.sha256:
            copy.unlink()
            raise UserError(f"the bank {self.path} came damaged to this machine; build again")
        return copy


@lru_cache(maxsize=1)
def _open(file: BankFile) -> Bank:
    return Bank(file._find())


@dataclass(frozen=True)
class Parcel:
    """A ShardJob without its bank, which `bank`, where there is one, finds again."""

    folder: Path
    stream: Callable[..., Stream]
    bank: BankFile | None

    def unpack(self) -> ShardJob:
        """Return the job on this machine; UserError: see `BankFile.open`."""
        arguments = {"bank": self.bank.open()} if self.bank else {}
        return ShardJob(self.folder, self.stream(**arguments))


def pack(job: ShardJob, send: Callable[[np.ndarray], Callable[[], np.ndarray]]) -> Parcel:
    """Pack a job; `send` takes the bank's bytes, and returns how other machines fetch them."""
    stream, folder = job.stream, job.folder.absolute()
    if not isinstance(stream, BankStream):
        return Parcel(folder, partial(_same, stream), None)
    path = stream.bank.path.absolute()
    bank = BankFile(path, sha256(path), send(np.fromfile(path, np.uint8)))
    names = [f.name for f in dataclasses.fields(stream) if f.name != "bank"]
    rest: dict[str, Any] = {name: getattr(stream, name) for name in names}
    return Parcel(folder, partial(type(stream), **rest), bank)


def _same(stream: Stream) -> Stream:
    return stream
