from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shards.compare.versions import EXAMPLES, Diff, diff
from shards.compare.versions_text import as_sheet, as_text
from shards.errors import UserError
from shards.manifest import histograms, own_fingerprint, read_manifest, write_manifest
from shards.record import Samples
from tests.shards.conftest import join, random_samples, write_set

COUNTS = {"test": 20, "val": 10, "train": 70}


def parts(seed: int = 0) -> dict[str, Samples]:
    return {split: random_samples(count, seed + count) for split, count in COUNTS.items()}


def compare(folder: Path, old: dict[str, Samples], new: dict[str, Samples], **changes) -> Diff:
    """The diff of a set of 1.2.3 and another one, packed as `changes` say."""
    write_set(folder / "old", old, version="1.2.3")
    write_set(folder / "new", new, **changes)
    return diff(folder / "old", folder / "new")


def with_changes(samples: Samples, rows: list[int], name: str) -> Samples:
    """Samples of which some have another picture, label or box."""
    array = getattr(samples, name).copy()
    if name == "digits":
        array[rows, 0] = (array[rows, 0] + 1) % 10
    else:
        array[rows, 0, 0] ^= 1
    return replace(samples, **{name: array})


def test_nothing_changed(tmp_path: Path) -> None:
    found = compare(tmp_path, parts(), parts(), version="1.2.3", name="another")
    assert (found.level, found.version, found.same) == ("none", "1.2.3", 100)
    assert "another 1.2.3: none, nothing changed\nthe version stays 1.2.3\n" in as_text(found)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_other_shards_are_a_patch(tmp_path: Path, size: int, monkeypatch) -> None:
    monkeypatch.setattr("shards.compare.walk.BATCH", 16)
    found = compare(tmp_path, parts(), parts(), shard_size=size, version="1.2.4")
    assert (found.level, found.version, found.same) == ("patch", "1.2.4", 100)
    assert (found.changed, found.added.total(), found.gone.total()) == (0, 0, 0)
    assert "1.2.4 is the version that follows" in as_text(found)


def test_another_manifest_of_the_same_samples_is_a_patch(tmp_path: Path) -> None:
    found = compare(tmp_path, parts(), parts(), tools={"numpy": "9.9"})
    assert (found.level, found.version) == ("patch", "1.2.4")
    text = as_text(found)
    assert "it calls itself 1.0.0; after 1.2.3 it should be 1.2.4\n" in text
    assert f"\ntools.numpy {np.__version__} -> 9.9\n" in text


def test_samples_at_the_end_are_a_minor_version(tmp_path: Path) -> None:
    old = parts()
    new = old | {"train": join([old["train"], random_samples(30, 5)])}
    found = compare(tmp_path, old, new, shard_size=9)
    assert (found.level, found.version, found.same) == ("minor", "1.3.0", 100)
    assert found.added == {"train": 30}
    assert found.histograms == tuple(
        histograms(join(list(samples.values())).digits) for samples in (old, new)
    )
    text = as_text(found)
    assert "100 unchanged, 0 changed, 30 added (train 30), 0 gone" in text
    before, after = (counts["digits"][3] for counts in found.histograms)
    assert f"\ndigits.3    {before} -> {after}\n" in text
    for said, verdict in (
        ("1.3.0", "1.3.0 is the version that follows"),
        ("1.4.0", "1.4.0 is of that kind, and later than the one that follows, 1.3.0"),
        ("2.3.0", "it calls itself 2.3.0; after 1.2.3 it should be 1.3.0"),
        ("1.2.9", "it calls itself 1.2.9; after 1.2.3 it should be 1.3.0"),
    ):
        assert verdict in as_text(replace(found, new=replace(found.new, version=said)))


def test_samples_that_are_gone_are_a_major_version(tmp_path: Path) -> None:
    old = parts()
    found = compare(tmp_path, old, old | {"train": old["train"].part(0, 60)})
    assert (found.level, found.version, found.gone) == ("major", "2.0.0", {"train": 10})


@pytest.mark.parametrize(
    ("name", "told"),
    [("images", "pictures"), ("digits", "labels"), ("boxes", "boxes or ids")],
)
def test_a_sample_that_changed_makes_a_major_version(
    tmp_path: Path, name: str, told: str, monkeypatch
) -> None:
    monkeypatch.setattr("shards.compare.walk.BATCH", 8)
    old = parts()
    new = old | {"train": with_changes(old["train"], [3, 40], name)}
    found = compare(tmp_path, old, new, shard_size=11)
    assert (found.level, found.version) == ("major", "2.0.0")
    assert (found.same, found.changed, found.parts[told]) == (98, 2, 2)
    assert [example.key for example in found.examples] == [33, 70]
    # A label is in the JSON, too.
    assert found.parts["pictures"] == 2 * (name == "images")


def test_a_sample_in_another_split_has_changed(tmp_path: Path) -> None:
    """The same samples under the same keys, but 5 that were to be tested with are trained on."""
    old = parts()
    everything = join(list(old.values()))
    new = {"test": everything.part(0, 15), "train": everything.part(15, 100)}
    found = compare(tmp_path, old, new)
    assert (found.level, found.changed, found.same) == ("major", 15, 85)
    assert found.parts == {"splits": 15, "pictures": 0, "labels": 0, "boxes or ids": 0}


def test_examples_are_spread_over_all_that_changed(tmp_path: Path) -> None:
    found = compare(tmp_path, parts(), parts(seed=1))
    assert found.changed == 100
    assert EXAMPLES / 2 <= len(found.examples) <= EXAMPLES
    keys = [example.key for example in found.examples]
    assert keys == list(range(0, 100, keys[1]))
    old, new = (join(list(samples.values())) for samples in (parts(), parts(seed=1)))
    for example in found.examples:
        assert np.array_equal(example.images[0], old.images[example.key])
        assert np.array_equal(example.images[1], new.images[example.key])


def test_the_sheet_has_both_images_of_a_sample(tmp_path: Path) -> None:
    old = parts()
    new = old | {"test": with_changes(old["test"], [2], "digits")}
    found = compare(tmp_path, old, new)
    page = as_sheet(found)
    scale, gap = 2, 12
    wanted = Image.fromarray(old["test"].images[2]).resize((256, 64), Image.Resampling.BICUBIC)
    # Up to the images' seam, which bicubic scaling blurs.
    here = np.asarray(page)[gap : gap + 64, gap : gap + 128 * scale - 4, 0]
    assert np.array_equal(here, np.asarray(wanted)[:, :-4])
    before, after = found.examples[0].labels
    assert (int(before[0]) + 1) % 10 == int(after[0])
    assert before[1:] == after[1:]


def test_recipes_and_digits_are_compared_field_by_field(tmp_path: Path) -> None:
    source = {"name": "ink", "licence": "MIT", "count": 5, "sha256": "cd" * 32, "writers": []}
    recipe = {"height": [20, 30], "slant": 1}
    found = compare(tmp_path, parts(), parts(), recipe=recipe, sources=[source], seed=8)
    lines = as_text(found).splitlines()
    for line in (
        "seed        7 -> 8",
        "recipe.height [20, 28] -> [20, 30]",
        "recipe.gap.touch 0.25 -> -",
        "recipe.slant - -> 1",
        f"digits of   noise: 900 by 3 writers, CC0, SHA-256 {'ab' * 8} -> -",
        f"digits of   ink: - -> 5 by 0 writers, MIT, SHA-256 {'cd' * 8}",
        "digits      as before",
    ):
        assert line in lines


def test_a_set_that_is_still_being_built_is_refused(tmp_path: Path) -> None:
    write_set(tmp_path / "old", parts())
    (tmp_path / "old" / "manifest.json").rename(tmp_path / "old" / "plan.json")
    with pytest.raises(UserError, match="still being built: compare it once it has a manifest"):
        diff(tmp_path / "old", tmp_path / "old")


def test_claims_do_not_count(tmp_path: Path) -> None:
    """Shards that are others than their manifest says are told by their samples."""
    write_set(tmp_path / "old", parts())
    write_set(tmp_path / "new", parts(seed=1))
    manifest = read_manifest(tmp_path / "old" / "manifest.json")
    assert manifest.fingerprint == own_fingerprint(manifest)
    write_manifest(manifest, tmp_path / "new" / "manifest.json")
    assert diff(tmp_path / "old", tmp_path / "new").changed == 100
