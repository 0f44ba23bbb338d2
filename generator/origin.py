"""What a finished data set was drawn from, so that it can be drawn on, or again."""

from pathlib import Path
from typing import Any

from generator.bank import Bank
from generator.pen import numbers
from generator.recipe import Recipe
from generator.stream import BankStream
from shards import __version__
from shards.errors import UserError
from shards.manifest import Manifest


def stream_of(manifest: Manifest, bank: Path) -> BankStream:
    """Return the stream of which the samples of a data set are the first.

    Raises:
        UserError: The set is not of a bank's digits; its recipe is none of this version; the bank
            has other digits than those it was made of, or the pen model of this version differs.
    """
    kind = manifest.recipe.get("name")
    if kind in ("import", "strokes"):
        what = "imported" if kind == "import" else "made of strokes"
        raise UserError(f"{manifest.name} was {what}: only sets of a bank can be drawn again")
    stream = BankStream(Bank(bank), Recipe.from_json(manifest.recipe), manifest.seed)
    banks, made_of = _of_bank(stream.sources()), _of_bank(manifest.sources)
    if _digits(banks) != _digits(made_of):
        wanted = ", ".join(f"{s['name']} ({s['count']:,})" for s in made_of)
        raise UserError(
            f"the bank {bank} has not the digits that {manifest.name} was made of, {wanted}; name "
            "the bank that it was built with by --bank"
        )
    if _digits(stream.sources()) != _digits(manifest.sources):
        made = manifest.tools.get("digit-readers", "of that time")
        raise UserError(
            f"the pen model that wrote for {manifest.name} is not that of this version, "
            f"{__version__}; install digit-readers {made}"
        )
    return stream


def _of_bank(sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [source for source in sources if source["name"] != numbers.NAME]


def _digits(sources: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What of sources decides bytes: see `shards.manifest.fingerprint`."""
    return [(s["count"], s["sha256"], s["writers"]) for s in sources]
