"""What a data set is built of: a stream of samples, and the one that a bank and a recipe give."""

from dataclasses import dataclass
from typing import Any, Protocol

from generator.bank import Bank
from generator.engine import render
from generator.pen import numbers
from generator.recipe import Recipe
from shards.record import Samples


class Stream(Protocol):
    """Samples without end. Sample i of a split depends on the stream, the split and i alone.

    A stream goes to worker processes by pickle.
    """

    @property
    def seed(self) -> int:
        """Which of the samples that the digits and the recipe allow are drawn."""

    def recipe(self) -> dict[str, Any]:
        """What numbers look like, as JSON values."""

    def sources(self) -> list[dict[str, Any]]:
        """Where digits come from, as the manifest lists them."""

    def check(self, split: str) -> None:
        """Raise UserError where a split lacks a digit."""

    def render(self, split: str, start: int, count: int) -> Samples:
        """Render the samples `start` to `start + count` of a split."""


@dataclass(frozen=True)
class BankStream:
    """Numbers of a bank's digits as a recipe wants them; `seed` is 0 to 2**63 - 1."""

    bank: Bank
    look: Recipe
    seed: int

    def recipe(self) -> dict[str, Any]:
        """Every range of the recipe."""
        return self.look.to_json()

    def sources(self) -> list[dict[str, Any]]:
        """The bank's sources, each with the rows of its writers; the pen model where it writes."""
        bank = [source | {"writers": self._writers(source["name"])} for source in self.bank.sources]
        return [*bank, numbers.source()] if self.look.written else bank

    def check(self, split: str) -> None:
        """Raise UserError where a split of the bank lacks a digit."""
        self.bank.check(split)

    def render(self, split: str, start: int, count: int) -> Samples:
        """See `engine.render`."""
        return render(self.bank, split, self.look, self.seed, start, count)

    def _writers(self, source: str) -> list[list[Any]]:
        return [[w.name, w.split, w.first, w.stop] for w in self.bank.writers if w.source == source]
