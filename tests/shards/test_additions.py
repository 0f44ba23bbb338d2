"""Manifests of data sets to which samples were added."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.errors import UserError
from shards.layout import END_BYTES, RECORD_BYTES
from shards.manifest import (
    EXTENDED,
    FORMAT,
    SPLITS,
    Addition,
    Manifest,
    ShardEntry,
    own_fingerprint,
    read_manifest,
    shard_name,
)

STAGES = st.lists(
    st.dictionaries(st.sampled_from(SPLITS), st.integers(1, 9), min_size=1), min_size=1, max_size=4
)


def manifest_of(stages: list[dict[str, int]], shard_size: int = 4) -> Manifest:
    """A manifest of no files: what was built at first, and what was added."""
    stages = [{split: stage[split] for split in SPLITS if split in stage} for stage in stages]
    totals = {s: sum(stage.get(s, 0) for stage in stages) for s in SPLITS}
    splits = {split: count for split, count in totals.items() if count}
    entries, key, numbers = [], 0, dict.fromkeys(SPLITS, 0)
    for stage in stages:
        for split, total in stage.items():
            for start in range(0, total, shard_size):
                count = min(shard_size, total - start)
                name = shard_name(split, numbers[split])
                size = count * RECORD_BYTES + END_BYTES
                entries.append(ShardEntry(name, split, key, count, size, "0" * 64, [1, 2]))
                key, numbers[split] = key + count, numbers[split] + 1
    additions = [Addition(stage, {"numpy": str(i)}) for i, stage in enumerate(stages[1:])]
    manifest = Manifest(
        format=EXTENDED if additions else FORMAT,
        name="numbers",
        version="1.0.0",
        seed=1,
        recipe={},
        splits=splits,
        sources=[],
        tools={"numpy": "first"},
        shards=entries,
        histograms={},
        fingerprint="0" * 64,
        additions=additions,
    )
    return replace(manifest, fingerprint=own_fingerprint(manifest))


@given(STAGES)
def test_any_additions_are_read_as_they_were_written(stages: list[dict[str, int]]) -> None:
    manifest = manifest_of(stages)
    again = Manifest.from_json(manifest.to_json())
    assert again == manifest
    assert own_fingerprint(again) == manifest.fingerprint
    sizes = [sum(stage.values()) for stage in stages]
    owners = [i for i, size in enumerate(sizes) for _ in range(size)]
    assert [again.stage_of(key) for key in range(sum(sizes))] == owners


def test_no_two_ways_to_the_same_sizes_have_one_fingerprint() -> None:
    ways = [
        [{"val": 4, "train": 8}],
        [{"val": 4}, {"train": 8}],
        [{"train": 8}, {"val": 4}],
        [{"train": 4}, {"val": 4, "train": 4}],
        [{"val": 4, "train": 4}, {"train": 4}],
        [{"val": 4, "train": 4}, {"train": 2}, {"train": 2}],
        [{"val": 4, "train": 4}, {"train": 3}, {"train": 1}],
    ]
    found = [manifest_of(way, size).fingerprint for way in ways for size in (2, 3)]
    assert len(set(found)) == len(found)


def test_the_tools_of_an_addition_and_its_shard_size_decide_bytes() -> None:
    manifest = manifest_of([{"train": 8}, {"train": 8}])
    other = replace(manifest, additions=[Addition({"train": 8}, {"numpy": "3"})])
    assert own_fingerprint(other) != manifest.fingerprint
    assert manifest_of([{"train": 8}, {"train": 8}], 2).fingerprint != manifest.fingerprint


def test_a_set_without_additions_is_written_as_ever(built) -> None:
    text = (built[0] / "manifest.json").read_text()
    assert read_manifest(built[0] / "manifest.json").to_json() == text
    assert not {"additions", "part"} & json.loads(text).keys()
    assert json.loads(text)["format"] == 1


def damaged(change: dict) -> str:
    manifest = manifest_of([{"val": 5, "train": 8}, {"train": 6}])
    return json.dumps(json.loads(manifest.to_json()) | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 1}, "has format 1, and format 2 is that of sets with additions"),
        ({"additions": []}, "has format 2, and format 2 is that of sets with additions"),
        ({"additions": {"a": 1}}, "additions is not a list"),
        ({"additions": [{"splits": {"train": 6}}]}, r"additions\[0\] lacks the field 'tools'"),
        ({"additions": [{"splits": {}, "tools": {}}]}, "have no samples"),
        ({"additions": [{"splits": {"train": 0}, "tools": {}}]}, "have no samples"),
        ({"additions": [{"splits": {"train": 15}, "tools": {}}]}, "more than its samples of train"),
        ({"additions": [{"splits": {"test": 1}, "tools": {}}]}, "more than its samples of test"),
        ({"additions": [{"splits": {"val": 1}, "tools": {}}]}, "out of sequence|do not add up"),
        ({"additions": [{"splits": {"train": 5}, "tools": {}}]}, "out of sequence|do not add up"),
        ({"part": "4/3"}, "'4/3' is no part of a build"),
        ({"part": 3}, "part is not a string"),
    ],
)
def test_damage_is_named(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Manifest.from_json(damaged(change))


def test_shards_of_two_stages_stay_apart() -> None:
    """Samples 5 to 7 of train are in one shard though an addition begins with sample 6."""
    manifest = manifest_of([{"train": 8}], 4)
    text = replace(manifest, format=EXTENDED, additions=[Addition({"train": 2}, {})]).to_json()
    with pytest.raises(UserError, match="do not add up to the 8 samples of train"):
        Manifest.from_json(text)


def test_the_first_format_is_read(tmp_path: Path) -> None:
    """A manifest as the versions up to 0.3 wrote it."""
    manifest = manifest_of([{"test": 3, "train": 8}])
    data = json.loads(manifest.to_json())
    for entry in data["shards"]:
        del entry["json_sums"]
    old = Manifest.from_json(json.dumps(data))
    assert (old.additions, old.part) == ([], None)
    assert own_fingerprint(old) == old.fingerprint
