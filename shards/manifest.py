"""The manifest: what a data set holds and what decided its bytes, as one strict JSON file."""

import hashlib
import json
import re
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from shards.errors import UserError
from shards.files import replacing
from shards.labels import MAX_DIGITS
from shards.layout import END_BYTES, ID_DIGITS, KEY_DIGITS, RECORD_BYTES
from shards.schema import expect, expect_fields, expect_list, expect_map, reject

FORMAT = 1
MANIFEST, PLAN = "manifest.json", "plan.json"
COMPACT = "compact.json"  # in place of the manifest, of a set that is packed for the wire
IMPORTED = "import"  # the name of the recipe of a set that others drew
SPLITS = ("test", "val", "train")  # in the order of their keys, so that train can grow at its end

MAX_SHARDS = 10**5  # of a split: their names have five digits

_SOURCE_FIELDS = ("name", "licence", "count", "sha256", "writers")
_SHARD_NAME = re.compile(rf"({'|'.join(SPLITS)})-\d{{5}}\.tar", re.ASCII)
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 1 << 25  # a manifest of 400 million images has fewer


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
class Manifest:
    """A data set, finished or planned.

    splits: samples by split, in the order of SPLITS, which is the order of the keys.
    sources: objects with name, licence, count, sha256 and writers, a list of
        [writer, split, first_id, stop_id]: the half-open range of the writer's bank ids.
    histograms: as `histograms` returns it, or {} in a plan.
    fingerprint: SHA-256 over all that decides the bytes, see `fingerprint`.
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

    @property
    def writers_known(self) -> bool:
        """Whether its digits have writers, so that splits can be proven to share none."""
        return self.recipe.get("name") != IMPORTED

    def to_json(self) -> str:
        """Return the JSON text that `from_json` reads."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = MANIFEST) -> "Manifest":
        """Parse strictly; UserError, naming `where`, for whatever is not a manifest."""
        data = expect(_parse(text, where), dict, where)
        _check_format(data, where)
        _check_types(data, where)
        shards = [_shard(item, f"{where}: shards[{i}]") for i, item in enumerate(data["shards"])]
        manifest = cls(**{**data, "shards": shards})
        _check_keys(manifest, where)
        return manifest


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
    return Manifest.from_json(text, str(path))


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
) -> str:
    """SHA-256, in hex, over all that decides the bytes of a data set, its format included.

    The data set's name, version and time are left out, and so are the names and licences of the
    sources: two sets with one fingerprint have the same shards. shard_size: samples in the
    largest shard.
    """
    digits = [{name: source[name] for name in ("count", "sha256", "writers")} for source in sources]
    decisive = {
        "format": FORMAT,
        "seed": seed,
        "recipe": recipe,
        "splits": splits,
        "sources": digits,
        "tools": tools,
        "shard_size": shard_size,
    }
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def own_fingerprint(manifest: Manifest) -> str:
    """Return the fingerprint that a manifest must have, going by the rest of it."""
    return fingerprint(
        seed=manifest.seed,
        recipe=manifest.recipe,
        splits=manifest.splits,
        sources=manifest.sources,
        tools=manifest.tools,
        shard_size=max((entry.count for entry in manifest.shards), default=0),
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


def shard_name(split: str, number: int) -> str:
    """Return the file name of the shard `number` (from 0) of `split`."""
    return f"{split}-{number:05}.tar"


def split_of(file: str) -> str:
    """Return the split that the shard named `file` is of; UserError if that is no shard's name."""
    match = _SHARD_NAME.fullmatch(file)
    if not match:
        raise UserError(f"{file!r} is no name of a shard: it must be like 'train-00000.tar'")
    return match[1]


def _parse(text: str, where: str) -> Any:
    try:
        data = json.loads(text)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:  # ValueError: also half a character, infinity
        raise UserError(f"{where} is not JSON ({error}): fetch or build it again") from error
    return data


def _check_format(data: dict[str, Any], where: str) -> None:
    found = expect(data.get("format"), int, f"{where}: format")
    if found > FORMAT:
        raise UserError(
            f"{where} has format {found}, the newest known here is {FORMAT}: upgrade digit-readers"
        )
    if found < 1:
        reject(where, f"has format {found}, which never existed")


def _check_types(data: dict[str, Any], where: str) -> None:
    expect_fields(data, tuple(field.name for field in fields(Manifest)), where)
    for name in ("name", "version", "fingerprint"):
        expect(data[name], str, f"{where}: {name}")
    if not _VERSION.fullmatch(data["version"]):
        reject(f"{where}: version", f"{data['version']!r} is not like 1.0.0")
    if not _SHA256.fullmatch(data["fingerprint"]):
        reject(f"{where}: fingerprint", "is not a SHA-256")
    expect(data["seed"], int, f"{where}: seed")
    expect(data["recipe"], dict, f"{where}: recipe")
    _check_histograms(data["histograms"], f"{where}: histograms")
    expect(data["shards"], list, f"{where}: shards")
    expect_map(data["tools"], str, f"{where}: tools")
    splits = expect_map(data["splits"], int, f"{where}: splits")
    if tuple(splits) != tuple(split for split in SPLITS if split in splits):
        reject(f"{where}: splits", f"are not some of {', '.join(SPLITS)}, in this order")
    for i, source in enumerate(expect(data["sources"], list, f"{where}: sources")):
        _check_source(source, f"{where}: sources[{i}]")


def _check_source(source: Any, where: str) -> None:
    expect_fields(source, _SOURCE_FIELDS, where)
    for name, kind in zip(_SOURCE_FIELDS, (str, str, int, str, list), strict=True):
        expect(source[name], kind, f"{where}: {name}")
    for i, writer in enumerate(source["writers"]):
        at = f"{where}: writers[{i}]"
        if len(expect(writer, list, at)) != 4:
            reject(at, "is not [writer, split, first_id, stop_id]")
        for value, kind in zip(writer, (str, str, int, int), strict=True):
            expect(value, kind, at)
        if not 0 <= min(writer[2:]) <= max(writer[2:]) <= 10**ID_DIGITS:
            reject(at, f"has ids outside 0..{10**ID_DIGITS}")


def _check_histograms(data: Any, where: str) -> None:
    if expect(data, dict, where):
        expect_fields(data, ("digits", "lengths"), where)
        expect_list(data["digits"], int, 10, f"{where}: digits")
        lengths = expect_map(data["lengths"], int, f"{where}: lengths")
        expect_fields(lengths, tuple(map(str, range(1, MAX_DIGITS + 1))), f"{where}: lengths")


def _shard(data: Any, where: str) -> ShardEntry:
    names = tuple(field.name for field in fields(ShardEntry))
    entry = ShardEntry(**expect_fields(data, names, where, optional=("json_sums",)))
    for name, kind in (("file", str), ("split", str), ("first_key", int), ("count", int)):
        expect(data[name], kind, f"{where}: {name}")
    expect(entry.bytes, int, f"{where}: bytes")
    if entry.sha256 is not None and not _SHA256.fullmatch(expect(entry.sha256, str, where)):
        reject(f"{where}: sha256", "is not a SHA-256")
    if split_of(entry.file) != entry.split:
        reject(where, f"places {entry.file} in the split {entry.split!r}")
    if not 0 <= entry.count <= 10**KEY_DIGITS:
        reject(where, f"says {entry.count} samples")
    if entry.bytes != entry.count * RECORD_BYTES + END_BYTES:
        reject(where, f"says {entry.bytes} bytes for {entry.count} samples")
    if entry.json_sums is not None:
        for number in expect_list(entry.json_sums, int, 2, f"{where}: json_sums"):
            if not 0 <= number < 1 << 64:
                reject(f"{where}: json_sums", f"has {number}, which is not of 64 bits")
    return entry


def _check_keys(manifest: Manifest, where: str) -> None:
    """Reject shards that do not cover the splits in order, without gap or overlap."""
    key = 0
    for split, count in manifest.splits.items():
        entries = [entry for entry in manifest.shards if entry.split == split]
        for number, entry in enumerate(entries):
            if entry.file != shard_name(split, number) or entry.first_key != key:
                reject(where, f"has {entry.file} out of sequence")
            key += entry.count
        if sum(entry.count for entry in entries) != count:
            reject(where, f"has shards that do not add up to the {count} samples of {split}")
    if {entry.split for entry in manifest.shards} - set(manifest.splits):
        reject(where, "has shards of a split that it does not have")
