from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shards.compare.overlap import Overlap, overlap
from shards.compare.overlap_text import as_text
from shards.compare.whose import on_one_scale
from shards.errors import UserError
from shards.manifest import read_manifest
from shards.reader import DataSet
from shards.record import Samples
from shards.summary import summary
from tests.shards.conftest import join, random_samples, write_set

INK, DOT, OLD = "ab" * 32, "cd" * 32, "ef" * 32


def source(name: str, sha256: str, *writers: list) -> dict:
    return {
        "name": name,
        "licence": "CC0",
        "count": 900,
        "sha256": sha256,
        "writers": list(writers),
    }


def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several pieces of several batches, though the sets are small."""
    monkeypatch.setattr("shards.compare.walk.BATCH", 16)
    monkeypatch.setattr("shards.compare.overlap.BATCH", 16)
    monkeypatch.setattr("shards.compare.overlap._PIECE", 2)


def compare(one: Path, other: Path, *splits: list[str]) -> Overlap:
    return overlap(DataSet(one), DataSet(other), *splits)


def places(samples: Samples, shared: set[int]) -> int:
    """How many samples have one of these ids: the slow, obvious count."""
    return sum(bool(shared & set(row[row >= 0].tolist())) for row in samples.ids)


def test_digits_of_one_source_are_compared_across_banks(tmp_path: Path, monkeypatch) -> None:
    """The second bank has another source before ink, so that its rows lie 1,000 further on."""
    small_batches(monkeypatch)
    ours = random_samples(100, 1, ids=(0, 500))
    theirs = random_samples(150, 2, ids=(1_000, 1_500))
    write_set(
        tmp_path / "a", {"train": ours}, sources=[source("ink", INK, ["ann", "train", 0, 500])]
    )
    sources = [
        source("dot", DOT, ["dan", "train", 0, 1_000]),
        source("more ink", INK, ["ann", "train", 1_000, 1_500]),
    ]
    write_set(tmp_path / "b", {"train": theirs}, sources=sources)
    shared = set(ours.ids.ravel().tolist()) & set((theirs.ids - 1_000).ravel().tolist()) - {-1}
    mine, others = places(ours, shared), places(theirs, {number + 1_000 for number in shared})
    assert 20 < mine < 100
    for one, other, counts in (("a", "b", (mine, others)), ("b", "a", (others, mine))):
        found = compare(tmp_path / one, tmp_path / other)
        assert tuple(side.shared["digits"] for side in found.sides) == counts
        assert found.found
        samples = {"a": (ours, 0), "b": (theirs, 1_000)}
        for pair in found.examples["digits"]:
            ids = [
                set((samples[name][0].ids[int(place.split()[1])] - samples[name][1]).tolist())
                for name, place in zip((one, other), pair, strict=True)
            ]
            assert {number for number in ids[0] & ids[1] if number >= 0}
    text = as_text(compare(tmp_path / "a", tmp_path / "b"))
    assert f"digits      shared by {mine} and {others} samples\n" in text
    assert "writers     1 shared\n" in text
    assert "shown by ids, for the source is the same in both: ink" in text


def test_a_writer_of_several_ranges_is_one_person_with_each_digit_in_its_place(
    tmp_path: Path,
) -> None:
    """As of strokes in any order: two people by turns, the second bank 1,000 rows further on."""
    ours, theirs = random_samples(100, 1, ids=(0, 400)), random_samples(100, 2, ids=(1_000, 1_400))

    def ranges(begin: int) -> list[list]:
        return [
            [name, "train", begin + first, begin + first + 100]
            for name, first in (("ann", 0), ("ann", 200), ("ben", 100), ("ben", 300))
        ]

    write_set(tmp_path / "a", {"train": ours}, sources=[source("ink", INK, *ranges(0))])
    sources = [source("dot", DOT, ["dan", "train", 0, 1_000]), source("ink", INK, *ranges(1_000))]
    write_set(tmp_path / "b", {"train": theirs}, sources=sources)
    shared = set(ours.ids.ravel().tolist()) & set((theirs.ids - 1_000).ravel().tolist()) - {-1}
    found = compare(tmp_path / "a", tmp_path / "b")
    counts = places(ours, shared), places(theirs, {number + 1_000 for number in shared})
    assert tuple(side.shared["digits"] for side in found.sides) == counts
    assert [(one.name, other.name) for one, other in found.writers] == [
        ("ann", "ann"),
        ("ben", "ben"),
    ]
    assert any("2 writers" in line for line in summary(DataSet(tmp_path / "a")).splitlines())
    twice = compare(tmp_path / "a", tmp_path / "b", ["train", "train"])
    assert [len(side) for side in twice.sides] == [100, 100]


def test_equal_ids_of_other_digits_are_not_shared(tmp_path: Path) -> None:
    samples = random_samples(50, 1, ids=(0, 100))
    for name, sha256, writer in (("a", INK, "ann"), ("b", DOT, "bob")):
        changed = replace(samples, images=samples.images ^ (name == "b"))
        sources = [source(name, sha256, [writer, "train", 0, 100])]
        write_set(tmp_path / name, {"train": changed}, sources=sources)
    found = compare(tmp_path / "a", tmp_path / "b")
    assert not found.found
    text = as_text(found)
    assert text.splitlines()[1:] == [
        "writers     none shared",
        "pictures    none shared",
        f"not shown by ids: sources that {tmp_path / 'a'} alone has, by their SHA-256: a; of them "
        "the names of writers and whole pictures, byte by byte, were compared",
        f"not shown by ids: sources that {tmp_path / 'b'} alone has, by their SHA-256: b; of them "
        "the names of writers and whole pictures, byte by byte, were compared",
    ]


def test_a_writer_of_a_source_that_has_grown_is_known_by_name(tmp_path: Path) -> None:
    """Ann trained, and tests after more digits were added: other hash, other split, same hand."""
    write_set(
        tmp_path / "a",
        {"train": random_samples(40, 1, ids=(0, 100))},
        sources=[source("ink", INK, ["ann", "train", 0, 100], ["eve", "train", 100, 200])],
    )
    write_set(
        tmp_path / "b",
        {"test": random_samples(40, 2, ids=(50, 200))},
        sources=[source("ink", OLD, ["bob", "test", 0, 50], ["ann", "test", 50, 200])],
    )
    found = compare(tmp_path / "a", tmp_path / "b")
    assert [(one.name, other.name) for one, other in found.writers] == [("ann", "ann")]
    assert found.found
    first = "train-00000.tar 000000000 and test-00000.tar 000000000"
    assert f"'ann' of ink: {first}" in as_text(found)


def test_a_writer_without_a_digit_in_any_sample_is_not_shared(tmp_path: Path) -> None:
    writers = [["ann", "train", 0, 100], ["eve", "train", 100, 200]]
    for name, ids in (("a", (0, 100)), ("b", (100, 200))):
        write_set(
            tmp_path / name,
            {"train": random_samples(40, ids[0], ids)},
            sources=[source("ink", INK, *writers)],
        )
    found = compare(tmp_path / "a", tmp_path / "b")
    assert not found.found
    assert [side.writers.popitem()[0].name for side in found.sides] == ["ann", "eve"]


def test_splits_of_one_set_are_proven_to_share_nothing(built: tuple[Path, Samples]) -> None:
    folder = built[0]
    assert not compare(folder, folder, ["train"], ["test", "val"]).found
    everything = compare(folder, folder)
    assert [side.shared["digits"] for side in everything.sides] == [100, 100]
    assert [side.shared["pictures"] for side in everything.sides] == [100, 100]
    assert len(everything.writers) == 3


def test_pictures_of_imported_sets_are_compared(tmp_path: Path, monkeypatch) -> None:
    small_batches(monkeypatch)
    ours, theirs = random_samples(70, 1), random_samples(90, 2)
    theirs.images[[5, 88]] = ours.images[[69, 0]]
    theirs.images[7] = ours.images[3] ^ 1  # one grey level off
    write_set(tmp_path / "a", {"train": ours})
    write_set(tmp_path / "b", {"test": theirs}, recipe={"name": "import"})
    found = compare(tmp_path / "a", tmp_path / "b")
    assert [side.shared["pictures"] for side in found.sides] == [2, 2]
    assert sorted(found.examples["pictures"]) == [
        ("train-00000.tar 000000000", "test-00002.tar 000000088"),
        ("train-00002.tar 000000069", "test-00000.tar 000000005"),
    ]
    text = as_text(found)
    assert "writers" not in text.split("not shown")[0]
    assert f"not shown: whose digits {tmp_path / 'b'} is made of is not known" in text
    assert "the same digit in another number, and a picture that was moved" in text


def test_ids_of_nobody_are_no_digits(tmp_path: Path) -> None:
    """Before, between and after the writers; where a writer has no digit, another's begin."""
    writers = [["eve", "train", 20, 20], ["ann", "train", 20, 30], ["bob", "train", 40, 50]]
    write_set(
        tmp_path / "a",
        {"train": random_samples(4, 1, ids=(20, 30))},
        sources=[source("ink", INK, *writers)],
    )
    (whose,) = on_one_scale([read_manifest(tmp_path / "a" / "manifest.json")])
    ids = np.array([[-1, 0, 19, 20, 29], [30, 39, 40, 49, 50]])
    owners = whose.owners(ids)
    names = [[whose.writers[i].name if i >= 0 else "-" for i in row] for row in owners]
    assert names == [["-", "-", "-", "ann", "ann"], ["-", "-", "bob", "bob", "-"]]
    assert whose.digits(ids, owners).tolist() == [[-1, -1, -1, 0, 9], [-1, -1, 10, 19, -1]]


def test_a_split_that_is_not_there_is_refused(built: tuple[Path, Samples]) -> None:
    with pytest.raises(UserError, match="has no split 'dev'"):
        compare(built[0], built[0], ["dev"])


def test_samples_in_several_pieces_are_counted_once(tmp_path: Path, monkeypatch) -> None:
    """The larger set is walked through once for each piece of the smaller one."""
    ours = random_samples(64, 1, ids=(0, 40))
    write_set(
        tmp_path / "a", {"train": ours}, sources=[source("ink", INK, ["ann", "train", 0, 40])]
    )
    write_set(
        tmp_path / "b",
        {"train": join([ours, random_samples(20, 3, ids=(0, 40))])},
        sources=[source("ink", INK, ["ann", "train", 0, 40])],
    )
    whole = compare(tmp_path / "a", tmp_path / "b")
    small_batches(monkeypatch)
    pieces = compare(tmp_path / "a", tmp_path / "b")
    assert [side.shared for side in pieces.sides] == [side.shared for side in whole.sides]
    assert whole.sides[0].shared["pictures"] == 64
