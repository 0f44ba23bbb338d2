import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shards.errors import UserError
from shards.manifest import (
    Manifest,
    fingerprint,
    histograms,
    read_manifest,
    shard_name,
    split_of,
    write_manifest,
)

DECISIVE = {
    "seed": 1,
    "recipe": {"height": (20, 28)},
    "splits": {"train": 5},
    "sources": [{"name": "a", "licence": "MIT", "count": 3, "sha256": "0" * 64, "writers": []}],
    "tools": {"numpy": "2.0"},
    "shard_size": 4,
}


def test_json_round_trip(built, tmp_path: Path) -> None:
    manifest = read_manifest(built[0] / "manifest.json")
    assert Manifest.from_json(manifest.to_json()) == manifest
    plan = replace(manifest, shards=[replace(entry, sha256=None) for entry in manifest.shards])
    write_manifest(plan, tmp_path / "plan.json")
    assert read_manifest(tmp_path / "plan.json") == plan
    write_manifest(plan, tmp_path / "manifest.json")  # of a finished set, which has all hashes
    with pytest.raises(UserError, match=r"manifest\.json has no SHA-256 of test-00000\.tar"):
        read_manifest(tmp_path / "manifest.json")


def test_a_newer_format_is_refused_by_name(built) -> None:
    data = json.loads((built[0] / "manifest.json").read_text())
    data["format"], data["novelty"] = 3, True
    with pytest.raises(UserError, match="format 3, the newest known here is 2: upgrade"):
        Manifest.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown field 'extra'"),
        ({"seed": "7"}, "seed is not a whole number"),
        ({"seed": True}, "seed is not a whole number"),
        ({"format": 0}, "format 0"),
        ({"version": "1.0"}, "not like 1.0.0"),
        ({"tools": {"numpy": 2}}, "'numpy'.* is not a string"),
        ({"splits": {"train": 70, "test": 20, "val": 10}}, "in this order"),
        ({"splits": {"test": 20, "val": 10, "train": 71}}, "do not add up to the 71"),
        ({"splits": {"test": 20, "val": 10}}, "split that it does not have"),
        ({"sources": [{"name": "a"}]}, "lacks the field 'licence'"),
        ({"fingerprint": "abc"}, "not a SHA-256"),
        ({"shards": {}}, "shards is not a list"),
    ],
)
def test_damage_is_named(built, change: dict, message: str) -> None:
    data = json.loads((built[0] / "manifest.json").read_text()) | change
    with pytest.raises(UserError, match=message):
        Manifest.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "../test-00000.tar"}, "no name of a shard"),
        ({"file": "train-00000.tar"}, "in the split 'test'"),
        ({"file": "test-00001.tar"}, "out of sequence"),
        ({"first_key": 1}, "out of sequence"),
        ({"bytes": 1}, "says 1 bytes for 20 samples"),
        ({"sha256": "xyz"}, "not a SHA-256"),
        ({"count": 2.5}, "count is not a whole number"),
    ],
)
def test_damaged_shard_entries_are_named(built, change: dict, message: str) -> None:
    data = json.loads((built[0] / "manifest.json").read_text())
    data["shards"][0] |= change
    with pytest.raises(UserError, match=message):
        Manifest.from_json(json.dumps(data))


def test_a_missing_field_and_broken_json_are_named(built, tmp_path: Path) -> None:
    data = json.loads((built[0] / "manifest.json").read_text())
    del data["recipe"]
    with pytest.raises(UserError, match="lacks the field 'recipe'"):
        Manifest.from_json(json.dumps(data))
    with pytest.raises(UserError, match="is not JSON"):
        Manifest.from_json("{")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"binary\.json is not UTF-8"):
        read_manifest(tmp_path / "binary.json")


def test_fingerprint_ignores_names_and_order_of_fields() -> None:
    first = fingerprint(**DECISIVE)
    renamed = [{**DECISIVE["sources"][0], "name": "b", "licence": "CC0"}]
    assert fingerprint(**{**DECISIVE, "sources": renamed}) == first
    assert fingerprint(**{**DECISIVE, "recipe": {"height": [20, 28]}}) == first


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"recipe": {}},
        {"splits": {"train": 6}},
        {"tools": {"numpy": "2.1"}},
        {"shard_size": 8},
        {"sources": [{**DECISIVE["sources"][0], "sha256": "1" * 64}]},
        {"sources": [{**DECISIVE["sources"][0], "writers": [["w", "train", 0, 3]]}]},
    ],
)
def test_fingerprint_depends_on_what_decides_the_bytes(change: dict) -> None:
    assert fingerprint(**{**DECISIVE, **change}) != fingerprint(**DECISIVE)


def test_histograms_count_digits_and_lengths() -> None:
    digits = np.array([[0, 0, 7, -1, -1], [9, -1, -1, -1, -1]], np.int8)
    assert histograms(digits) == {
        "digits": [2, 0, 0, 0, 0, 0, 0, 1, 0, 1],
        "lengths": {"1": 1, "2": 0, "3": 1, "4": 0, "5": 0},
    }


def test_shard_names() -> None:
    assert shard_name("val", 12) == "val-00012.tar"
    assert split_of("val-00012.tar") == "val"
