import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from generator.bank import Bank, build_bank
from generator.sources.digits import Digits, split_writers
from generator.sources.folder import read_folder
from shards.errors import UserError


def source(name: str, writers: dict[str, str], labels: str = "0123456789") -> Digits:
    """A few digits that are squares; each writer writes each of `labels` once."""
    n = len(writers) * len(labels)
    images = np.zeros((n, 56, 56), np.uint8)
    images[:, 20:36, 20:36] = 255
    return Digits(
        name,
        "MIT",
        images,
        np.zeros((n, 2), np.int8),
        np.array([int(label) for _ in writers for label in labels], np.uint8),
        np.array([writer for writer in writers for _ in labels]),
        writers,
    )


def pick(bank: Bank, one_writer: bool, label: int = 3, n: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(0)
    labels = np.full((n, 5), -1, np.int8)
    labels[:, 0] = label
    return bank.pick(
        "train",
        labels,
        one_writer=np.full(n, one_writer),
        source=rng.random(n),
        writer=rng.random(n),
        digit=rng.random((n, 5)),
    )[:, 0]


def test_rows_are_sorted_by_split_source_writer_and_label(tmp_path: Path) -> None:
    one = source("b", {"x": "train", "y": "test"})
    two = source("a", {"x": "val", "z": "train"})
    bank = build_bank(tmp_path / "bank.h5", [one, two])
    assert [(w.split, w.source, w.name, w.first, w.stop) for w in bank.writers] == [
        ("train", "a", "z", 0, 10),
        ("train", "b", "x", 10, 20),
        ("val", "a", "x", 20, 30),
        ("test", "b", "y", 30, 40),
    ]
    assert bank.labels.tolist() == list(range(10)) * 4
    assert [s["name"] for s in bank.sources] == ["a", "b"]


def test_sources_weigh_as_the_square_root_of_their_size(tmp_path: Path) -> None:
    large = source("large", {f"w{k}": "train" for k in range(16)})
    small = source("small", {"s": "train"})
    bank = build_bank(tmp_path / "bank.h5", [large, small])
    first_small = next(w.first for w in bank.writers if w.source == "small")
    share = (pick(bank, one_writer=True) >= first_small).mean()
    assert abs(share - 1 / 5) < 0.04
    share = (pick(bank, one_writer=False) >= first_small).mean()
    assert abs(share - 1 / 17) < 0.02


def test_a_digit_a_writer_lacks_comes_from_another(tmp_path: Path) -> None:
    half = source("half", {"h": "train"}, labels="01245")
    full = source("full", {"f": "train"})
    bank = build_bank(tmp_path / "bank.h5", [half, full])
    rows = pick(bank, one_writer=True, label=3)
    assert set(bank.labels[rows]) == {3}


def test_a_split_without_a_digit_is_refused(tmp_path: Path) -> None:
    bank = build_bank(tmp_path / "bank.h5", [source("s", {"w": "train"}, labels="0123456")])
    assert not bank.has("train")
    with pytest.raises(UserError, match="no digit 7, 8, 9 in its train split"):
        bank.check("train")


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="two sources of the bank are called 'a'"):
        build_bank(tmp_path / "bank.h5", [source("a", {"w": "train"})] * 2)
    with pytest.raises(UserError, match="a bank needs a source of digits"):
        build_bank(tmp_path / "bank.h5", [])
    assert not list(tmp_path.iterdir())


def test_a_failed_build_leaves_the_old_bank(tmp_path: Path) -> None:
    path = tmp_path / "bank.h5"
    build_bank(path, [source("a", {"w": "train"})])
    before = path.read_bytes()
    broken = dataclasses.replace(source("b", {"w": "train"}), images=np.zeros((3, 56, 56), "u1"))
    with pytest.raises(IndexError):
        build_bank(path, [broken])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["bank.h5"]


def test_no_bank_takes_the_place_of_a_folder_nor_lies_below_a_file(tmp_path: Path) -> None:
    sources = [source("a", {"w": "train"})]
    with pytest.raises(UserError, match="is a folder: name a file in it, or elsewhere"):
        build_bank(tmp_path, sources)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="file is a file: name another folder"):
        build_bank(tmp_path / "file" / "bank.h5", sources)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_is_no_bank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no bank .*none\.h5"):
        Bank(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(UserError, match="is no digit bank"):
        Bank(text)
    newer = tmp_path / "newer.h5"
    with h5py.File(newer, "w") as file:
        file.attrs["format"] = 99
    with pytest.raises(UserError, match="format 99.*reads 3"):
        Bank(newer)


def test_arrays_of_a_wrong_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.h5"
    build_bank(path, [source("a", {"w": "train"})])
    with h5py.File(path, "a") as file:
        del file["lines"]
        file["lines"] = np.zeros((10, 5, 5), np.uint8)
    with pytest.raises(UserError, match="/lines is uint8"):
        Bank(path)


def test_splits_are_by_writer_and_by_name_alone() -> None:
    names = [f"writer{k}" for k in range(50)]
    splits = split_writers(names, 0.1, 0.2)
    assert [list(splits.values()).count(s) for s in ("train", "val", "test")] == [35, 5, 10]
    assert split_writers(names[::-1], 0.1, 0.2) == splits
    assert set(split_writers(["a", "b"], 0.5, 0.5).values()) == {"train"}


def test_one_image_looks_the_same_in_any_polarity(digit_folder: Path, tmp_path: Path) -> None:
    from PIL import Image, ImageOps

    def alpha(grey: Image.Image) -> Image.Image:
        ink = ImageOps.invert(grey)
        return Image.merge("LA", (Image.new("L", grey.size, 0), ink))

    variants = {"same": lambda i: i, "inverted": ImageOps.invert, "alpha": alpha}
    banks = {}
    for name, change in variants.items():
        for path in digit_folder.glob("*/pen-000_0.png"):
            out = tmp_path / name / path.parent.name / path.name
            out.parent.mkdir(parents=True, exist_ok=True)
            change(Image.open(path).convert("L")).save(out)
        banks[name] = read_folder(tmp_path / name, "MIT", 0, 0)
    for name in ("inverted", "alpha"):
        np.testing.assert_array_equal(banks[name].images, banks["same"].images)
