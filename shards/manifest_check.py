"""Checks of a manifest's JSON: what is not exactly a manifest is refused, by the field."""

import json
import re
from typing import Any

from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.layout import END_BYTES, ID_DIGITS, KEY_DIGITS, RECORD_BYTES
from shards.names import SPLITS, split_of
from shards.part import Part
from shards.schema import expect, expect_fields, expect_list, expect_map, reject

# Of a set as it was built, and of one to which samples were added, which older versions refuse.
FORMAT, EXTENDED = 1, 2

_OPTIONAL = ("additions", "part", "json_sums")  # fields that are absent where they say nothing
_SOURCE_FIELDS = ("name", "licence", "count", "sha256", "writers")
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def parse(
    text: str, names: tuple[str, ...], shard_names: tuple[str, ...], where: str
) -> dict[str, Any]:
    """Return the JSON of a manifest, each field of its type; else UserError, naming `where`.

    names, shard_names: the fields of a manifest and of each of its shards.
    """
    data: dict[str, Any] = expect(_json(text, where), dict, where)
    _check_format(data, where)
    _check_types(data, names, where)
    for i, shard in enumerate(data["shards"]):
        _check_shard(shard, shard_names, f"{where}: shards[{i}]")
    return data


def _json(text: str, where: str) -> Any:
    try:
        data = json.loads(text)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:  # ValueError: also half a character, infinity
        raise UserError(f"{where} is not JSON ({error}): fetch or build it again") from error
    return data


def _check_format(data: dict[str, Any], where: str) -> None:
    found = expect(data.get("format"), int, f"{where}: format")
    if found > EXTENDED:
        raise UserError(
            f"{where} has format {found}, the newest known here is {EXTENDED}: "
            "upgrade digit-readers"
        )
    if found < 1:
        reject(where, f"has format {found}, which never existed")
    if (found == EXTENDED) != bool(data.get("additions")):
        reject(where, f"has format {found}, and format {EXTENDED} is that of sets with additions")


def _check_types(data: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    expect_fields(data, names, where, _OPTIONAL)
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
    _check_splits(data["splits"], f"{where}: splits")
    for i, source in enumerate(expect(data["sources"], list, f"{where}: sources")):
        _check_source(source, f"{where}: sources[{i}]")
    for i, addition in enumerate(expect(data.get("additions", []), list, f"{where}: additions")):
        _check_addition(addition, f"{where}: additions[{i}]")
    if "part" in data:
        Part.parse(expect(data["part"], str, f"{where}: part"))


def _check_splits(data: Any, where: str) -> None:
    splits = expect_map(data, int, where)
    if tuple(splits) != tuple(split for split in SPLITS if split in splits):
        reject(where, f"are not some of {', '.join(SPLITS)}, in this order")


def _check_addition(data: Any, where: str) -> None:
    expect_fields(data, ("splits", "tools"), where)
    expect_map(data["tools"], str, f"{where}: tools")
    _check_splits(data["splits"], f"{where}: splits")
    if min(data["splits"].values(), default=0) < 1:
        reject(f"{where}: splits", "have no samples")


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


def _check_shard(data: Any, names: tuple[str, ...], where: str) -> None:
    entry = expect_fields(data, names, where, _OPTIONAL)
    for name, kind in (("file", str), ("split", str), ("first_key", int), ("count", int)):
        expect(entry[name], kind, f"{where}: {name}")
    expect(entry["bytes"], int, f"{where}: bytes")
    digest, count = entry["sha256"], entry["count"]
    if digest is not None and not _SHA256.fullmatch(expect(digest, str, where)):
        reject(f"{where}: sha256", "is not a SHA-256")
    if split_of(entry["file"]) != entry["split"]:
        reject(where, f"places {entry['file']} in the split {entry['split']!r}")
    if not 0 <= count <= 10**KEY_DIGITS:
        reject(where, f"says {count} samples")
    if entry["bytes"] != count * RECORD_BYTES + END_BYTES:
        reject(where, f"says {entry['bytes']} bytes for {count} samples")
    if entry.get("json_sums") is not None:
        for number in expect_list(entry["json_sums"], int, 2, f"{where}: json_sums"):
            if not 0 <= number < 1 << 64:
                reject(f"{where}: json_sums", f"has {number}, which is not of 64 bits")
