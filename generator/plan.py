"""The plan of a data set: what is ordered, cut into shards, before anything is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generator.rng import MAX_SEED
from generator.stream import Stream
from shards import __version__
from shards.errors import UserError
from shards.layout import END_BYTES, KEY_DIGITS, RECORD_BYTES
from shards.manifest import (
    FORMAT,
    MAX_SHARDS,
    SPLITS,
    Manifest,
    ShardEntry,
    fingerprint,
    shard_name,
)

# Whose versions may change the bytes.
_TOOLS = ("numpy", "opencv-python-headless")


@dataclass(frozen=True)
class Order:
    """What to build.

    Attributes:
        folder: Where; its name becomes the data set's.
        stream: What the samples are.
        splits: Samples of each split.
        shard_size: Samples in a shard.
    """

    folder: Path
    stream: Stream
    splits: dict[str, int]
    shard_size: int


def plan_of(order: Order) -> Manifest:
    """Return the plan of an order: a manifest whose shards are not written yet.

    Raises:
        UserError: A split lacks a digit, or a number is out of range.
    """
    stream = order.stream
    splits = checked_splits(order.splits)
    check_sizes(splits, order.shard_size)
    if not 0 <= stream.seed <= MAX_SEED:
        raise UserError(f"the seed is {stream.seed}; it must be 0 to {MAX_SEED}")
    for split in splits:
        stream.check(split)
    decisive: dict[str, Any] = {
        "seed": stream.seed,
        "recipe": stream.recipe(),
        "splits": splits,
        "sources": stream.sources(),
        "tools": tools(),
    }
    return Manifest(
        format=FORMAT,
        name=order.folder.resolve().name,
        version="1.0.0",
        shards=list(plan_shards(splits, order.shard_size)),
        histograms={},
        fingerprint=fingerprint(**decisive, shard_size=min(order.shard_size, max(splits.values()))),
        **decisive,
    )


def tools() -> dict[str, str]:
    """Return the versions, here, of all that may change the bytes."""
    return {"digit-readers": __version__} | {name: version(name) for name in _TOOLS}


def checked_splits(wanted: dict[str, int]) -> dict[str, int]:
    """Return the splits that have samples, in the order of SPLITS; UserError where none has."""
    splits = {split: wanted[split] for split in SPLITS if wanted.get(split)}
    if not splits or min(splits.values()) < 0:
        raise UserError(f"a data set needs at least one sample, not {wanted}")
    return splits


def check_sizes(splits: dict[str, int], shard_size: int) -> None:
    """Raise UserError where there are more samples, or shards, than keys and names can tell."""
    if sum(splits.values()) > 10**KEY_DIGITS:
        raise UserError(
            f"a data set has at most {10**KEY_DIGITS:,} samples, not {sum(splits.values()):,}; "
            "build several, with a seed each"
        )
    if shard_size < 1:
        raise UserError(f"the shard size is {shard_size}; it must be at least 1")
    shards = sum(-(-count // shard_size) for count in splits.values())
    if shards > MAX_SHARDS:
        raise UserError(
            f"a data set has at most {MAX_SHARDS:,} shards, not {shards:,}; raise --shard-size "
            f"from {shard_size:,}, or build several sets with a seed each"
        )


def plan_shards(
    splits: dict[str, int],
    shard_size: int,
    key: int = 0,
    numbers: dict[str, int] | None = None,
) -> Iterator[ShardEntry]:
    """Cut splits into shards; `key` is their first, `numbers` the first shard's of each split."""
    for split, total in splits.items():
        first = (numbers or {}).get(split, 0)
        for number, start in enumerate(range(0, total, shard_size), first):
            count = min(shard_size, total - start)
            size = count * RECORD_BYTES + END_BYTES
            yield ShardEntry(shard_name(split, number), split, key, count, size, None)
            key += count
