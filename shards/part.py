"""Parts of a build, made apart and merged: '3/16' is the third of sixteen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from shards.errors import UserError

Item = TypeVar("Item")

_PART = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


@dataclass(frozen=True)
class Part:
    """The part `number`, from 1, of `of` parts."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Return the part that is written like 3/16; UserError where `text` is none."""
        match = _PART.fullmatch(text)
        part = cls(*map(int, match.groups())) if match else None
        if part is None or not 1 <= part.number <= part.of:
            raise UserError(f"{text!r} is no part of a build: 3/16 is the third of sixteen")
        return part

    def deal(self, items: Sequence[Item]) -> list[Item]:
        """Return every `of`-th of the items: the parts differ by one item at most."""
        return list(items[self.number - 1 :: self.of])
