"""Banks made to do harm, or by mistake: the part that is wrong is named."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from generator.bank import Bank, build_bank
from generator.bank_file import ARRAYS
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


@pytest.mark.parametrize("name", [*ARRAYS, "writers"])
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
    with pytest.raises(UserError, match="has the format None, but this version reads 1"):
        Bank(path)


@pytest.mark.parametrize("value", [np.arange(3), np.bytes_(b"[]"), ["a", "b"], 7])
def test_writers_and_sources_that_are_no_text(path: Path, value: object) -> None:
    for name in ("sources", "writers"):
        with h5py.File(path, "a") as file:
            before = file.attrs["sources"], file["writers"][()]
            if name == "sources":
                file.attrs["sources"] = value
            else:
                del file["writers"]
                file["writers"] = value
        with pytest.raises(UserError, match=f"{name} is no text"):
            Bank(path)
        with h5py.File(path, "a") as file:
            file.attrs["sources"] = before[0]


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
        text = file.attrs[name] if name == "sources" else file[name].asstr()[()]
        rows = json.loads(text)
        change(rows)
        if name == "sources":
            file.attrs[name] = json.dumps(rows)
        else:
            del file[name]
            file[name] = json.dumps(rows)
    with pytest.raises(UserError, match=message):
        Bank(path)


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, "[1" + "0" * 5_000 + "]", "null"])
def test_tables_that_are_none(path: Path, text: str) -> None:
    with h5py.File(path, "a") as file:
        del file["writers"]
        file["writers"] = text
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
