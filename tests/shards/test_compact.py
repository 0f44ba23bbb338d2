"""Packed shards, and the compact.json that lists them, whatever its bytes."""

import gzip
import json
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.compact import COMPACT_FIELDS, Packed, compact_text, pack, parse_compact, unpack
from shards.errors import UserError
from shards.manifest import ShardEntry, read_manifest
from shards.record import Samples
from shards.remote.index import require_index
from shards.remote.place import Place
from shards.remote.push import push

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def entry(built: tuple[Path, Samples]) -> ShardEntry:
    return read_manifest(built[0] / "manifest.json").shards[-1]


def test_packing_gives_the_same_bytes_each_time(
    built: tuple[Path, Samples], tmp_path: Path, entry: ShardEntry
) -> None:
    shard = built[0] / entry.file
    one, two = (pack(shard, tmp_path / name) for name in ("one.gz", "two.gz"))
    assert one == two
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert unpack((tmp_path / "one.gz").read_bytes(), entry, "one.gz") == shard.read_bytes()


def test_what_is_not_the_shard_is_refused(built: tuple[Path, Samples], entry: ShardEntry) -> None:
    right = (built[0] / entry.file).read_bytes()
    bomb = gzip.compress(bytes(1 << 24))  # of which no more than the shard's bytes are unpacked
    for data in (bomb, gzip.compress(right + b"x"), gzip.compress(right)[:-900], b"", b"no gzip"):
        with pytest.raises(
            UserError, match="^x (is no packed shard|does not hold train-00002.tar)"
        ):
            unpack(data, entry, "x")


@given(VALUES, VALUES, VALUES, VALUES)
def test_any_json_is_a_list_of_files_or_refused(a, b, c, d) -> None:
    good = json.loads(compact_text(b"{}", {"train-00000.tar": Packed("train-00000.tar.gz", 9, "")}))
    for name, value in zip(COMPACT_FIELDS, (a, b, c, d), strict=True):
        for data in ({**good, name: value}, {**good, "shards": [{**good["shards"][0], name: b}]}):
            with suppress(UserError):
                _, packed = parse_compact(json.dumps(data).encode(), "x")
                assert all(isinstance(item.bytes, int) for item in packed.values())


def test_damaged_bytes_are_a_data_set_or_refused(
    built: tuple[Path, Samples], tmp_path: Path
) -> None:
    push(built[0], tmp_path / "there", packed=True)
    path = tmp_path / "there/compact.json"
    right, rng = path.read_bytes(), random.Random(0)
    wrong = [right[:cut] for cut in range(0, len(right), 97)]
    wrong += [right.replace(b"noise", b"\\ud800"), right.replace(b"noise", b"\xff")]
    for _ in range(200):
        data = bytearray(right)
        data[rng.randrange(len(data))] = rng.randrange(256)
        wrong.append(bytes(data))
    refused = 0
    for data in wrong:
        path.write_bytes(data)
        try:
            require_index(Place(tmp_path / "there"))
        except UserError:
            refused += 1
    assert len(wrong) - 200 <= refused < len(wrong)
