"""Banks made to do harm, or by mistake: the part that is wrong is named."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from generator.bank import Bank, build_bank
from generator.bank_file import ARRAYS, TEXTS
from shards.errors import UserError
from tests.generator.test_bank import source

HUGE = 10**12


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("bank") / "bank.h5"
    assert len(build_bank(path, [source("a", {"x": "train", "y": "val"})])) == 20
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, sound: bytes) -> Path:
    (tmp_path / "bank.h5").write_bytes(sound)
    return tmp_path / "bank.h5"


def replace(file: h5py.File, name: str, **options: object) -> None:
    data = file[name][()]
    del file[name]
    file.create_dataset(name, **({"data": data} | options))


def write_text(file: h5py.File, name: str, text: str) -> None:
    del file[name]
    file[name] = np.frombuffer(text.encode("latin-1"), np.uint8)


def external(file: h5py.File, name: str) -> None:
    shape, dtype = file[name].shape, file[name].dtype
    del file[name]
    file.create_dataset(name, shape, dtype, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout(file[name].shape, file[name].dtype)
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "images", file[name].shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def link(to: object) -> Callable[[h5py.File, str], None]:
    def change(file: h5py.File, name: str) -> None:
        del file[name]
        file[name] = to

    return change


@pytest.mark.parametrize("name", [*ARRAYS])
@pytest.mark.parametrize(
    "change",
    [
        lambda file, name: replace(file, name, data=file[name][:-1]),
        lambda file, name: replace(file, name, data=file[name][()][..., None]),
        lambda file, name: replace(file, name, data=file[name][()].astype(np.float32)),
        lambda file, name: replace(file, name, chunks=True),
        lambda file, name: replace(file, name, compression="gzip"),
        lambda file, name: replace(file, name, data=None, shape=(HUGE,), dtype="u1"),
        lambda file, name: replace(file, name, data=np.uint8(1)),
        external,
        virtual,
    ],
)
def test_arrays_that_are_not_a_banks(path: Path, name: str, change: Callable) -> None:
    with h5py.File(path, "a") as file:
        change(file, name)
    # Of labels with another count than the rest, the rest is wrong.
    with pytest.raises(UserError, match=r"bank\.h5: /\w+ is .* build it again") as refusal:
        Bank(path)
    assert f"/{name} is" in str(refusal.value) or name == "labels"


@pytest.mark.parametrize("name", [*ARRAYS, *TEXTS])
@pytest.mark.parametrize(
    "change",
    [
        link(h5py.SoftLink("/images")),
        link(h5py.ExternalLink("/tmp/other.h5", "/images")),
        lambda file, name: (file.pop(name), file.create_group(name)),
        lambda file, name: file.pop(name),
    ],
)
def test_links_and_groups(path: Path, name: str, change: Callable) -> None:
    with h5py.File(path, "a") as file:
        change(file, name)
    with pytest.raises(UserError, match=f"/{name} is no array of the file itself"):
        Bank(path)


def test_what_is_no_part_of_a_bank(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["model.pkl"] = 1
    with pytest.raises(UserError, match=r"'model\.pkl' is no part of a bank"):
        Bank(path)


@pytest.mark.parametrize("value", [np.arange(3), "1", 1.5, np.void(b"x"), h5py.Empty("i4")])
def test_formats_that_are_none(path: Path, value: object) -> None:
    with h5py.File(path, "a") as file:
        file.attrs["format"] = value
    with pytest.raises(UserError, match="has the format None, but this version reads 3"):
        Bank(path)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [np.arange(3), np.bytes_(b"[]"), ["a", "b"], "[]", 7])
def test_writers_and_sources_that_are_no_text(path: Path, name: str, value: object) -> None:
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = value
    with pytest.raises(UserError, match=f"/{name} is .* not contiguous uint8 .* build it again"):
        Bank(path)


def with_strings(path: Path, version: int) -> None:
    """Write the texts as the first banks had them: strings on a heap of HDF5."""
    with h5py.File(path, "a") as file:
        writers, sources = (file.pop(name)[()].tobytes().decode() for name in TEXTS)
        file["writers"], file.attrs["sources"], file.attrs["format"] = writers, sources, version


def test_a_bank_of_the_first_format(path: Path) -> None:
    with_strings(path, 1)
    with pytest.raises(UserError) as refusal:
        Bank(path)
    assert str(refusal.value) == (
        f"bank {path} has the format 1, but this version reads 3; build it again with "
        "`generator digits`"
    )


def test_a_heap_from_which_hdf5_does_not_come_back(path: Path) -> None:
    """A free block of size 0: whoever looks for a string behind it looks for ever."""
    with_strings(path, 3)
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    while index := int.from_bytes(data[at : at + 2], "little"):
        size = int.from_bytes(data[at + 8 : at + 16], "little")
        at += 16 + (size + 7) // 8 * 8
    assert index == 0
    data[at + 8 : at + 16] = bytes(8)
    path.write_bytes(data)
    done = subprocess.run(
        [Path(sys.executable).with_name("generator"), "preview", "x.png", "--bank", path],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: bank {path}: /writers is object ()")


def first(**change: object) -> Callable[[list[dict]], object]:
    return lambda rows: rows[0].update(change)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("writers", lambda rows: rows.clear(), "writers have 0 rows, and there are 20 labels"),
        ("writers", lambda rows: rows.pop(), "writers have 10 rows, and there are 20 labels"),
        ("writers", lambda rows: rows.reverse(), r"writers\[0\] has rows out of sequence"),
        ("writers", first(stop=10**15), r"writers\[1\] has rows out of sequence"),
        ("writers", first(first=-1), r"writers\[0\] has rows out of sequence"),
        ("writers", first(stop=1.5), r"writers\[0\]: stop is not a whole number"),
        ("writers", first(split="all"), r"writers\[0\] has a split or source that the bank"),
        ("writers", first(source="b"), r"writers\[0\] has a split or source that the bank"),
        ("writers", first(path="x"), r"writers\[0\] has an unknown field 'path'"),
        ("writers", first(name=["x"]), r"writers\[0\]: name is not a string"),
        ("sources", first(sha256=1), r"sources\[0\]: sha256 is not a string"),
        ("sources", lambda rows: rows[0].pop("licence"), r"sources\[0\] lacks the field 'licence'"),
    ],
)
def test_tables_that_say_what_cannot_be(path: Path, name: str, change, message: str) -> None:
    with h5py.File(path, "a") as file:
        rows = json.loads(file[name][()].tobytes())
        change(rows)
        write_text(file, name, json.dumps(rows))
    with pytest.raises(UserError, match=message):
        Bank(path)


@pytest.mark.parametrize(
    "text", ["", "{}", "\xff", "[" * 100_000, "[1" + "0" * 5_000 + "]", "null"]
)
def test_tables_that_are_none(path: Path, text: str) -> None:
    with h5py.File(path, "a") as file:
        write_text(file, "writers", text)
    with pytest.raises(UserError, match="writers"):
        Bank(path)


@pytest.mark.parametrize(("row", "label"), [(0, 200), (3, 10), (5, 0)])
def test_labels_out_of_range_or_order(path: Path, row: int, label: int) -> None:
    with h5py.File(path, "a") as file:
        file["labels"][row] = label
    with pytest.raises(UserError, match="labels are not 0 to 9, sorted for each writer"):
        Bank(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_bank(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match=r"bank\.h5 is no digit bank .*truncated"):
        Bank(path)
