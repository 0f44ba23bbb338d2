"""The manifest: what a data set holds and what decided its bytes, as one strict JSON file."""

import hashlib
import json
import stat
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from shards.errors import UserError
from shards.files import replacing
from shards.labels import MAX_DIGITS
from shards.manifest_check import EXTENDED as EXTENDED
from shards.manifest_check import FORMAT as FORMAT
from shards.manifest_check import parse
from shards.names import MAX_SHARDS as MAX_SHARDS
from shards.names import SPLITS as SPLITS
from shards.names import shard_name as shard_name
from shards.names import split_of as split_of
from shards.schema import reject

MANIFEST, PLAN = "manifest.json", "plan.json"
COMPACT = "compact.json"  # in place of the manifest, of a set that is packed for the wire
IMPORTED = "import"  # the name of the recipe of a set that others drew

_MAX_BYTES = 1 << 25  # a manifest of 100,000 shards has fewer


@dataclass(frozen=True)
class ShardEntry:
    """One shard: its file's name, split, first key, number of samples, bytes and SHA-256.

    json_sums are the two numbers of `shards.sums`. A plan, whose shards need not be written yet,
    has neither them nor a SHA-256, and the first data sets have no json_sums.
    """

    file: str
    split: str
    first_key: int
    count: int
    bytes: int
    sha256: str | None
    json_sums: list[int] | None = None


@dataclass(frozen=True)
class Addition:
    """Samples of a data set by split, in the order of SPLITS, and the tools that made them."""

    splits: dict[str, int]
    tools: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """A data set, finished or planned.

    splits: samples by split, in the order of SPLITS, which is the order of the keys.
    sources: objects with name, licence, count, sha256 and writers, a list of
        [writer, split, first_id, stop_id]: the half-open range of the writer's bank ids.
    histograms: as `histograms` returns it, or {} in a plan.
    fingerprint: SHA-256 over all that decides the bytes, see `own_fingerprint`.
    additions: what `splits` and `shards` hold beside the set that was built at first; its keys go
        on after the last one, addition by addition. `tools` are those of the first build.
    part: of a plan of which the folder gets only a part of the shards, which one, like '3/16'.
    """

    format: int
    name: str
    version: str
    seed: int
    recipe: dict[str, Any]
    splits: dict[str, int]
    sources: list[dict[str, Any]]
    tools: dict[str, str]
    shards: list[ShardEntry]
    histograms: dict[str, Any]
    fingerprint: str
    additions: list[Addition] = field(default_factory=list)
    part: str | None = None

    @property
    def writers_known(self) -> bool:
        """Whether its digits have writers, so that splits can be proven to share none."""
        return self.recipe.get("name") != IMPORTED

    def stages(self) -> list[Addition]:
        """Return what was built at first, then what was added, in the order of the keys."""
        added = [addition.splits for addition in self.additions]
        first = {
            split: count - sum(splits.get(split, 0) for splits in added)
            for split, count in self.splits.items()
        }
        return [Addition(first, self.tools), *self.additions]

    def stage_of(self, key: int) -> int:
        """Return which of the stages holds the sample `key`."""
        return bisect_right(list(accumulate(_size(stage) for stage in self.stages())), key)

    def to_json(self) -> str:
        """Return the JSON text that `from_json` reads."""
        data = asdict(self)
        for name in ("additions", "part"):
            if not data[name]:
                del data[name]
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = MANIFEST) -> "Manifest":
        """Parse strictly; UserError, naming `where`, for whatever is not a manifest."""
        names, shard_names = (tuple(f.name for f in fields(kind)) for kind in (cls, ShardEntry))
        data = parse(text, names, shard_names, where)
        shards = [ShardEntry(**shard) for shard in data["shards"]]
        additions = [Addition(**addition) for addition in data.get("additions", [])]
        manifest = cls(**{**data, "shards": shards, "additions": additions})
        _check_keys(manifest, where)
        return manifest


def writers_in(source: dict[str, Any]) -> int:
    """Count the people of a source of digits, each of whom may have several ranges of ids."""
    return len({name for name, *_ in source["writers"]})


def read_manifest(path: Path) -> Manifest:
    """Read the manifest or plan in the file `path`; UserError where it is not one.

    FileNotFoundError or NotADirectoryError where there is none.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{path} is no file: fetch or build it again")
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        reject(str(path), f"has over {_MAX_BYTES:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: fetch or build it again") from error
    manifest = Manifest.from_json(text, str(path))
    if path.name == MANIFEST:
        for entry in manifest.shards:
            if entry.sha256 is None:
                reject(str(path), f"has no SHA-256 of {entry.file}")
    return manifest


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest` to `path`, whole or not at all."""
    with replacing(path) as file:
        file.write(manifest.to_json().encode())


def fingerprint(
    *,
    seed: int,
    recipe: dict[str, Any],
    splits: dict[str, int],
    sources: list[dict[str, Any]],
    tools: dict[str, str],
    shard_size: int,
    additions: Sequence[dict[str, Any]] = (),
) -> str:
    """SHA-256, in hex, over all that decides the bytes of a data set, its format included.

    The data set's name, version and time are left out, and so are the names and licences of the
    sources: two sets with one fingerprint have the same shards. shard_size: samples in the
    largest shard of the first build. additions: splits, tools and shard_size of each.
    """
    digits = [{name: source[name] for name in ("count", "sha256", "writers")} for source in sources]
    decisive = {
        "format": EXTENDED if additions else FORMAT,
        "seed": seed,
        "recipe": recipe,
        "splits": splits,
        "sources": digits,
        "tools": tools,
        "shard_size": shard_size,
    }
    if additions:
        decisive["additions"] = list(additions)
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def own_fingerprint(manifest: Manifest) -> str:
    """Return the fingerprint that a manifest must have, going by the rest of it."""
    sizes = [0] * (1 + len(manifest.additions))
    ends = list(accumulate(_size(stage) for stage in manifest.stages()))
    for entry in manifest.shards:
        stage = min(bisect_right(ends, entry.first_key), len(manifest.additions))
        sizes[stage] = max(sizes[stage], entry.count)
    return fingerprint(
        seed=manifest.seed,
        recipe=manifest.recipe,
        splits=manifest.splits,
        sources=manifest.sources,
        tools=manifest.tools,
        shard_size=sizes[0],
        additions=[
            asdict(addition) | {"shard_size": size}
            for addition, size in zip(manifest.additions, sizes[1:], strict=True)
        ],
    )


def histograms(digits: np.ndarray) -> dict[str, Any]:
    """Count how often each digit and each label length occurs in `digits`, int8 (n, 5)."""
    lengths = np.bincount((digits >= 0).sum(axis=1), minlength=MAX_DIGITS + 1)
    return {
        "digits": np.bincount(digits[digits >= 0], minlength=10).tolist(),
        "lengths": {str(length): int(lengths[length]) for length in range(1, MAX_DIGITS + 1)},
    }


def add_histograms(counts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the histograms of labels of which `counts`, one or more, are those of parts."""
    lengths = {name: sum(c["lengths"][name] for c in counts) for name in counts[0]["lengths"]}
    return {"digits": np.sum([c["digits"] for c in counts], axis=0).tolist(), "lengths": lengths}


def _size(stage: Addition) -> int:
    return sum(stage.splits.values())


def _check_keys(manifest: Manifest, where: str) -> None:
    """Reject shards that do not cover the splits, stage by stage, without gap or overlap."""
    for split, count in manifest.splits.items():
        entries = [entry for entry in manifest.shards if entry.split == split]
        runs = iter(_runs(manifest, split, where))
        key, room = next(runs)
        for number, entry in enumerate(entries):
            if not room:
                key, room = next(runs, (key, room))
            if entry.file != shard_name(split, number) or entry.first_key != key:
                reject(where, f"has {entry.file} out of sequence")
            if entry.count > room:
                break
            key, room = key + entry.count, room - entry.count
        if sum(entry.count for entry in entries) != count or room:
            reject(where, f"has shards that do not add up to the {count} samples of {split}")
    if {entry.split for entry in manifest.shards} - set(manifest.splits):
        reject(where, "has shards of a split that it does not have")


def _runs(manifest: Manifest, split: str, where: str) -> list[tuple[int, int]]:
    """Return first key and number of the samples of `split` in each stage that has some."""
    key = 0
    runs: list[tuple[int, int]] = []
    for stage in manifest.stages():
        for name, count in stage.splits.items():
            if name not in manifest.splits or count < 0:
                reject(where, f"has additions that are more than its samples of {name}")
            if name == split and (count or not runs):
                runs.append((key, count))
            key += count
    return runs
