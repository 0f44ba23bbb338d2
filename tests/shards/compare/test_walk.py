from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shards.compare.walk import Batch, side_by_side, walk
from shards.layout import RECORD
from shards.reader import DataSet
from shards.record import Samples, build_records


def test_a_walk_is_in_the_order_of_the_keys(built: tuple[Path, Samples], monkeypatch) -> None:
    monkeypatch.setattr("shards.compare.walk.BATCH", 7)
    folder, samples = built
    batches = list(walk(DataSet(folder)))
    found = b"".join(batch.records.tobytes() for batch in batches)
    assert found == build_records(samples, 0).tobytes()
    assert max(map(len, batches)) == 7
    assert [batch.first for batch in batches][1:] == [batch.stop for batch in batches][:-1]
    val = list(walk(DataSet(folder), ["val"]))
    assert [(batch.first, batch.stop) for batch in val] == [(20, 27), (27, 30)]
    assert val[1].place(2) == "val-00000.tar 000000029"


def test_shards_that_were_added_come_after_those_of_other_splits(
    built: tuple[Path, Samples],
) -> None:
    """The manifest lists shards split by split, their keys may go to and fro."""
    data = DataSet(built[0])
    data.manifest.shards.reverse()
    keys = [batch.first for batch in walk(data)]
    assert keys == sorted(keys)
    assert len(keys) == 5


def batches(keys: list[int], cuts: set[int]) -> list[Batch]:
    """Batches of these keys, which end where keys are missing, and before each of the cuts."""
    found: list[list[int]] = []
    for key in keys:
        if not found or key in cuts or found[-1][-1] != key - 1:
            found.append([])
        found[-1].append(key)
    return [Batch("x", "train", part[0], np.zeros(len(part), RECORD)) for part in found]


KEYS = st.sets(st.integers(0, 30)).map(sorted)
CUTS = st.sets(st.integers(0, 30))


@given(KEYS, KEYS, CUTS, CUTS)
def test_two_walks_meet_at_every_key(old: list[int], new: list[int], cuts, others) -> None:
    seen = []
    for left, right in side_by_side(iter(batches(old, cuts)), iter(batches(new, others))):
        assert left is None or right is None or (left.first, left.stop) == (right.first, right.stop)
        some = left or right
        assert some
        seen += [(key, left is not None, right is not None) for key in range(some.first, some.stop)]
    assert seen == [(key, key in old, key in new) for key in sorted({*old, *new})]
