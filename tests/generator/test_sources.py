import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.bank import build_bank
from generator.centreline import centreline_fields
from generator.doctor.findings_file import bad_files
from generator.sources.digits import same_hands, split_writers
from generator.sources.folder import read_folder
from generator.sources.mnist import read_mnist
from generator.sources.strokes import read_strokes
from shards.errors import UserError
from tests.conftest import idx


def test_mnists_parts_become_splits_by_writer(mnist_folder: Path) -> None:
    writers = np.arange(200) // 10
    np.savez(mnist_folder / "writers.npz", train_writer=writers, test_writer=np.full(40, 900))
    digits = read_mnist(mnist_folder, val=0.1)
    assert digits.images.shape == (240, 56, 56)
    assert digits.labels[:12].tolist() == [*range(10), 0, 1]
    assert digits.splits["0900"] == "test"
    assert sorted(digits.splits.values()).count("val") == 2
    assert digits.writers[57] == "0005"


def test_without_writers_blocks_stand_for_them(mnist_folder: Path) -> None:
    digits = read_mnist(mnist_folder, val=0.5)
    assert sorted(digits.splits) == ["test-block-000", "train-block-000", "train-block-001"]


def test_writers_of_a_cut_off_file_are_refused(mnist_folder: Path) -> None:
    path = mnist_folder / "writers.npz"
    np.savez(path, train_writer=np.arange(200), test_writer=np.arange(40))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="holds no readable array train_writer"):
        read_mnist(mnist_folder, 0.1)


def test_writers_that_are_no_whole_numbers_are_refused(mnist_folder: Path) -> None:
    np.savez(mnist_folder / "writers.npz", train_writer=np.zeros(200), test_writer=np.arange(40))
    with pytest.raises(UserError, match=r"train_writer is float64 \(200,\), not a whole number"):
        read_mnist(mnist_folder, 0.1)


def test_a_truncated_gz_is_refused(mnist_folder: Path) -> None:
    path = mnist_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="train-images-idx3-ubyte.gz is no whole gzip file"):
        read_mnist(mnist_folder, 0.1)


def test_a_wrong_magic_is_refused(mnist_folder: Path) -> None:
    shutil.copy(mnist_folder / "train-labels-idx1-ubyte", mnist_folder / "train-images-idx3-ubyte")
    with pytest.raises(UserError, match="begins with 00000801, but .* begins with 00000803"):
        read_mnist(mnist_folder, 0.1)


def test_other_content_is_refused_by_its_hash(mnist_folder: Path) -> None:
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(40, np.uint8)))
    with pytest.raises(UserError, match="has the sha256 .* but MNIST's has"):
        read_mnist(mnist_folder, 0.1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither train-images-idx3-ubyte nor"):
        read_mnist(tmp_path, 0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for digit in range(10):
        path = tmp_path / "hands" / str(digit) / "anna_lee_1.png"
        path.parent.mkdir(parents=True)
        image = np.full((30, 20), 250, np.uint8)
        image[5:25, 8:12] = 30
        Image.fromarray(image).save(path)
    return tmp_path / "hands"


def test_the_writer_is_the_name_before_the_last_underscore(folder: Path) -> None:
    digits = read_folder(folder, "CC0", 0.1, 0.1)
    assert set(digits.writers) == {"anna_lee"}
    assert digits.splits == {"anna_lee": "train"}
    assert digits.name == "hands"


def test_a_name_in_two_folders_is_one_hand(folder: Path, tmp_path: Path) -> None:
    names = {"a": "anna ben carl dora eve finn gina", "b": "anna ben zoe"}
    for hands, writers in names.items():
        for writer in writers.split():
            for digit in range(10):
                path = tmp_path / hands / str(digit) / f"{writer}_1.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / str(digit) / "anna_lee_1.png", path)
    alone = [read_folder(tmp_path / hands, "CC0", 0.1, 0.1) for hands in names]
    assert any(alone[0].splits[name] != alone[1].splits[name] for name in ("anna", "ben"))
    a, b = same_hands(alone)
    assert b.splits == alone[1].splits
    assert a.splits == alone[0].splits | {name: b.splits[name] for name in ("anna", "ben")}


@pytest.mark.parametrize("name", ["anna_2.jpg", "anna_2.WEBP"])
def test_a_picture_that_is_no_png_is_named(folder: Path, name: str) -> None:
    (folder / "3" / name).write_bytes(b"")
    with pytest.raises(UserError, match=rf"{name} is no PNG; save it as one"):
        read_folder(folder, "CC0", 0.1, 0.1)
    without = frozenset([folder / "3" / name])
    assert len(read_folder(folder, "CC0", 0.1, 0.1, without).labels) == 10


def test_a_suffix_in_capitals_is_one(folder: Path) -> None:
    shutil.copy(folder / "3" / "anna_lee_1.png", folder / "3" / "anna_lee_2.PNG")
    assert len(read_folder(folder, "CC0", 0.1, 0.1).labels) == 11


def test_a_writer_may_have_any_letters(folder: Path) -> None:
    for digit in range(10):
        (folder / str(digit) / "anna_lee_1.png").rename(folder / str(digit) / "jürgen_1.png")
    digits = read_folder(folder, "CC0", 0.1, 0.1)
    assert set(digits.writers) == {"jürgen"}
    renamed = dataclasses.replace(digits, writers=np.char.replace(digits.writers, "ü", "u"))
    assert digits.sha256() != renamed.sha256()


EIGHT = [[[50, 50], [0, 20], [50, 0], [100, 20], [50, 50], [0, 80], [50, 110], [100, 80], [50, 50]]]


def write_strokes(path: Path, strokes: object, pen: float = 60) -> None:
    path.write_text(json.dumps({"label": path.parent.name, "pen": pen, "strokes": strokes}))


def test_strokes_beside_a_picture_are_its_centreline(folder: Path, tmp_path: Path) -> None:
    write_strokes(folder / "8" / "anna_lee_1.json", EIGHT)
    digits = read_folder(folder, "CC0", 0.1, 0.1)
    assert digits.hairlines is not None
    # The pen has closed the loops, so that no thinning would find them.
    (ink,), (hairline,) = digits.images[8:9] >= 96, digits.hairlines[8:9] > 0
    assert ink.sum() > 8 * hairline.sum()
    assert (ink | ~hairline).all()
    bank = build_bank(tmp_path / "bank.h5", [digits])
    field = bank.lines[8].astype(int)
    assert field[hairline].min() >= 235
    assert centreline_fields(digits.images[8:9])[0][hairline].min() < 100
    # The other nine are thinned as they were.
    np.testing.assert_array_equal(digits.hairlines[:8], digits.images[:8])


def test_strokes_without_their_picture_do_not_count(folder: Path) -> None:
    before = read_folder(folder, "CC0", 0.1, 0.1)
    write_strokes(folder / "8" / "anna_lee_2.json", EIGHT)
    after = read_folder(folder, "CC0", 0.1, 0.1)
    assert after.hairlines is None
    assert after.sha256() == before.sha256()
    with pytest.raises(UserError, match="holds no strokes; draw some with `generator draw"):
        read_strokes(folder, "hands", "CC0")


def test_strokes_of_a_folder_are_sorted_by_writer(folder: Path) -> None:
    for name in ("8/zoe_2", "3/anna_lee_1", "8/anna_lee_1", "1/zoe_1"):
        write_strokes(folder / f"{name}.json", EIGHT)
        shutil.copy(folder / "1" / "anna_lee_1.png", folder / f"{name}.png")
    digits = read_strokes(folder, "hands", "CC0")
    assert [(d.line, d.writer, d.label) for d in digits.digits] == [
        (1, "anna_lee", 3),
        (2, "anna_lee", 8),
        (3, "zoe", 1),
        (4, "zoe", 8),
    ]
    assert digits.writers() == [("anna_lee", 1, 3), ("zoe", 3, 5)]


def test_strokes_that_are_none_are_named_as_pictures_are(folder: Path) -> None:
    (folder / "3" / "anna_lee_1.json").write_text("{")
    write_strokes(folder / "4" / "anna_lee_1.json", [])
    with pytest.raises(UserError, match="2 unreadable pictures") as caught:
        read_folder(folder, "CC0", 0.1, 0.1)
    assert "anna_lee_1.json is no drawing (there are no strokes)" in str(caught.value)
    with pytest.raises(UserError, match="anna_lee_1.json is no drawing"):
        read_strokes(folder, "hands", "CC0")


def test_all_unreadable_pictures_are_named(folder: Path) -> None:
    (folder / "3" / "bad_1.png").write_text("no picture")
    Image.new("L", (20, 20), 255).save(folder / "7" / "blank_1.png")
    with pytest.raises(UserError, match="2 unreadable pictures") as caught:
        read_folder(folder, "CC0", 0.1, 0.1)
    assert "bad_1.png" in str(caught.value)
    assert "blank_1.png" in str(caught.value)


def test_an_empty_class_is_named(folder: Path) -> None:
    (folder / "4" / "anna_lee_1.png").unlink()
    with pytest.raises(UserError, match="no picture of the digit 4"):
        read_folder(folder, "CC0", 0.1, 0.1)


def test_a_folder_without_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no digits"):
        read_folder(tmp_path, "CC0", 0.1, 0.1)
    with pytest.raises(UserError, match="is no folder"):
        read_folder(tmp_path / "nowhere", "CC0", 0.1, 0.1)


def test_a_cap_keeps_so_many_of_each_class(mnist_folder: Path) -> None:
    capped = read_mnist(mnist_folder, 0.5).at_most(7)
    assert np.bincount(capped.labels).tolist() == [7] * 10
    assert len(capped.images) == len(capped.writers) == len(capped.offsets) == 70
    assert capped.hairlines is None


def test_a_share_of_one_takes_every_writer() -> None:
    for names in (["anna"], ["anna", "ben"], [f"writer-{n}" for n in range(9)]):
        assert split_writers(names, 0.1, 1) == dict.fromkeys(names, "test")
    assert split_writers(["anna", "ben"], 0.5, 0.5) == dict.fromkeys(("anna", "ben"), "train")


def test_shares_that_leave_nobody_to_train_are_refused() -> None:
    with pytest.raises(UserError, match=r"0\.5 for val and one of 0\.9 for test leave none of 3 w"):
        split_writers(["anna", "ben", "carl"], 0.5, 0.9)
    with pytest.raises(UserError, match=r"0\.5 for val and one of 0\.4 for test leave none of 4 w"):
        split_writers(["anna", "ben", "carl", "dora"], 0.5, 0.4)  # 2 and 1.6, which is 2
    splits = split_writers(["anna", "ben", "carl", "dora"], 0.25, 0.4)
    assert sorted(splits.values()) == ["test", "test", "train", "val"]


def test_what_the_doctor_calls_bad_is_left_out(folder: Path, tmp_path: Path) -> None:
    for digit in range(10):
        shutil.copy(folder / f"{digit}/anna_lee_1.png", folder / f"{digit}/anna_lee_2.png")
    findings = tmp_path / "findings.json"
    paths = {"4/anna_lee_2.png": True, "5/anna_lee_2.png": False}
    listed = [{"path": str(folder / path), "bad": bad} for path, bad in paths.items()]
    findings.write_text(json.dumps({"folder": str(folder), "findings": listed}))
    digits = read_folder(folder, "CC0", 0.1, 0.1, bad_files(findings, [tmp_path, folder]))
    counts = np.bincount(digits.labels)
    assert counts.tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2, 2]


def test_findings_about_another_folder_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = tmp_path / "findings.json"
    findings.write_text(json.dumps({"folder": folder.name, "findings": []}))
    monkeypatch.chdir(folder.parent)
    assert bad_files(findings, [folder]) == frozenset()
    monkeypatch.chdir("/")
    with pytest.raises(UserError, match=f"is about the folder {folder.name}, which is none of"):
        bad_files(findings, [folder])


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"findings": []}', '{"folder": 3, "findings": []}'),
        *('{"folder": "x", "findings": [{"path": 3}]}', '{"folder": "x", "findings": 7}'),
    ],
)
def test_what_no_doctor_wrote_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "findings.json").write_text(text)
    with pytest.raises(UserError, match="has no findings"):
        bad_files(tmp_path / "findings.json", [])
    with pytest.raises(UserError, match="cannot be read"):
        bad_files(tmp_path / "absent.json", [])


def test_a_cap_keeps_hairlines_beside_their_digits(folder: Path) -> None:
    for digit in range(10):
        shutil.copy(folder / "1" / "anna_lee_1.png", folder / str(digit) / "zoe_1.png")
        write_strokes(folder / str(digit) / "zoe_1.json", EIGHT)
    capped = read_folder(folder, "CC0", 0.1, 0.1).at_most(1)
    assert capped.hairlines is not None
    same = [np.array_equal(a, b) for a, b in zip(capped.images, capped.hairlines, strict=True)]
    assert same == [writer == "anna_lee" for writer in capped.writers]
