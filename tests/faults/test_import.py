"""Foreign WebDatasets: what is sound is converted, all else is listed, nothing is dropped."""

import gzip
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shards.canvas import fit
from shards.errors import UserError
from shards.foreign.importing import REFUSED, Report, import_tars
from shards.reader import DataSet
from shards.verify import verify
from tests.faults.sets import write_set
from tests.faults.tars import drawing, png, write_tar


def labels(folder: Path, split: str = "train") -> list[str]:
    return [label for shard in DataSet(folder).shards(split) for label in shard.labels()]


def images(folder: Path, split: str = "train") -> np.ndarray:
    return np.concatenate([shard.images for shard in DataSet(folder).shards(split)])


def reasons(report: Report) -> dict[str | None, str]:
    return {refusal.key: refusal.reason for refusal in report.refused}


def test_sound_samples_of_all_kinds_are_converted(tmp_path: Path) -> None:
    drawings = [drawing(seed=i) for i in range(6)]
    large, dark = drawing(90, 300, 7), 255 - drawing(seed=8)
    rgba = np.stack([drawings[5]] * 3 + [np.full((32, 128), 255, np.uint8)], axis=-1)
    tar = write_tar(
        tmp_path / "a.tar",
        {
            "one.png": png(drawings[0]),
            "two.png": png(drawings[1], optimize=True),  # interleaved: labels come later
            "two.txt": b"00123\n",
            "one.txt": b"7",
            "dir/img.0001.PNG": png(drawings[2]),  # a dotted key in a folder
            "dir/img.0001.cls": b"42",
            "./three.json": b'{"label": 905, "source": "me"}',
            "./three.jpeg": png(drawings[3], "JPEG", quality=90),
            "four.png": png(large),
            "four.json": b'"31415"',
            "five.png": png(dark),
            "five.cls": b"10",
            "rgb.png": png(np.stack([drawings[4]] * 3, axis=-1)),
            "rgb.txt": b"55",
            "rgb.cls": b"55",
            "rgba.png": png(rgba),
            "rgba.txt": b"66",
        },
    )
    report = import_tars([tar], tmp_path / "out")
    assert verify(tmp_path / "out") == []
    assert (report.as_is, report.fitted, report.refused) == (5, 3, [])
    assert report.unused == {"source"}
    assert labels(tmp_path / "out") == ["7", "00123", "42", "905", "31415", "10", "55", "66"]
    found = images(tmp_path / "out")
    for row, expected in {
        **{0: drawings[0], 1: drawings[1], 2: drawings[2], 4: fit(large), 5: fit(dark)},
        **{6: drawings[4], 7: fit(Image.fromarray(rgba))},
    }.items():
        assert np.array_equal(found[row], expected), row
    assert np.abs(found[3].astype(int) - drawings[3]).max() < 100  # a JPEG is not exact


def test_all_that_is_not_sound_is_listed(tmp_path: Path) -> None:
    picture, other = png(drawing()), png(drawing(seed=1))
    flipped = bytearray(other)
    flipped[60] ^= 1
    frames = io.BytesIO()
    Image.fromarray(drawing()).save(
        frames, "PNG", save_all=True, append_images=[Image.fromarray(drawing(seed=2))]
    )
    files = {
        "fine.png": picture,
        "fine.txt": b"1",
        "unlabelled.png": picture,
        "pictureless.txt": b"1",
        "two.png": picture,
        "two.jpg": png(drawing(), "JPEG"),
        "two.txt": b"1",
        "long.png": picture,
        "long.txt": b"123456",
        "word.png": picture,
        "word.txt": b"seven" * 50,
        "minus.png": picture,
        "minus.cls": b"-1",
        "differ.png": picture,
        "differ.txt": b"12",
        "differ.json": b'{"label": 21}',
        "nested.png": picture,
        "nested.json": b"[" * 100_000,
        "float.png": picture,
        "float.json": b'{"label": 7.0}',
        "nothing.png": picture,
        "nothing.json": b'{"text": "7"}',
        "flipped.png": bytes(flipped),
        "flipped.txt": b"1",
        "cut.jpg": png(drawing(), "JPEG")[:-200],
        "cut.txt": b"1",
        "gif.png": png(drawing(), "GIF"),
        "gif.txt": b"1",
        "moving.png": frames.getvalue(),
        "moving.txt": b"1",
        "blank.png": png(np.full((32, 128), 9, np.uint8)),
        "blank.txt": b"1",
        "empty.png": b"",
        "empty.txt": b"1",
        "wide.png": png(np.zeros((1, 1 << 24), np.uint8)) + b"",
        "wide.txt": b"1",
        "large.png": png(np.zeros((4097, 4096), np.uint8)),
        "large.txt": b"1",
    }
    tar = write_tar(tmp_path / "a.tar", files)
    report = import_tars([tar], tmp_path / "out")
    keys = {name.rpartition(".")[0] for name in files}
    assert reasons(report).keys() == keys - {"fine"}
    assert report.as_is + report.fitted + len(report.refused) == len(keys)
    for key, reason in {
        "unlabelled": "it has no label",
        "pictureless": "it has no picture",
        "two": "it has 2 pictures",
        "long": "label '123456' is not a number of 1 to 5 digits",
        "word": "label 'sevensevensevenseven...' is not",
        "minus": "label '-1' is not",
        "differ": "its labels differ: .json '21', .txt '12'",
        "nested": "its .json is not JSON",
        "float": "its .json has no label that is a string or a whole number",
        "nothing": "its .json has no label",
        "flipped": "the picture cannot be decoded (broken PNG file",
        "cut": "the picture cannot be decoded (image file is truncated",
        "gif": "the picture cannot be decoded (cannot identify",
        "moving": "the picture is animated",
        "blank": "nothing is drawn",
        "empty": "the picture cannot be decoded",
        "wide": "nothing is drawn",
        "large": "the picture has 4096x4097 px, over 16,777,216",
    }.items():
        assert reasons(report)[key].startswith(reason), (key, reasons(report)[key])
    listed = [json.loads(line) for line in (tmp_path / "out" / REFUSED).read_text().splitlines()]
    assert listed == [vars(refusal) for refusal in report.refused]
    assert listed[0]["tar"] == str(tar)
    assert verify(tmp_path / "out") == []


def test_a_set_of_ours_comes_back_with_its_boxes(tmp_path: Path) -> None:
    samples = write_set(tmp_path / "ours", 2, 5)
    report = import_tars([tmp_path / "ours"], tmp_path / "out")
    shard = DataSet(tmp_path / "out").shards("train")[0]
    assert (report.as_is, report.unused, report.refused) == (10, {"ids"}, [])
    assert np.array_equal(shard.images, samples.images)
    assert np.array_equal(shard.digits, samples.digits)
    assert np.array_equal(shard.boxes_and_ids()[0], samples.boxes)
    assert verify(tmp_path / "out") == []


def test_splits_are_those_of_the_names_and_share_no_picture(tmp_path: Path) -> None:
    for i, name in enumerate(["train-0.tar", "validation/0.tar", "x/eval-1.tar", "other.tar"]):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files = {"a.png": png(drawing(seed=i)), "a.txt": b"1"}
        if name == "train-0.tar":
            files |= {"leak.png": png(drawing(seed=2)), "leak.txt": b"1"}
        write_tar(path, files)
    report = import_tars([tmp_path / "in"], tmp_path / "out", split="test")
    manifest = DataSet(tmp_path / "out").manifest
    assert manifest.splits == {"test": 2, "val": 1, "train": 1}
    assert reasons(report) == {"leak": "its picture is also in the split 'test'"}
    assert verify(tmp_path / "out") == []
    assert "who wrote the numbers is not known" in (tmp_path / "out" / "README.md").read_text()


def test_the_same_tars_give_the_same_bytes(tmp_path: Path) -> None:
    files = {f"{i}.{end}": png(drawing(seed=i)) for i in range(3) for end in ["png"]}
    tar = write_tar(tmp_path / "a.tar", files | {f"{i}.txt": b"5" for i in range(3)})
    for out in ("one", "two"):
        import_tars([tar], tmp_path / out / "set")
    for path in (tmp_path / "one" / "set").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "set" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("kept", "damage"),
    [
        (4096 + 10240, "it has no end: files after its last one may be missing"),
        (200, "its header at byte"),
        (700, "it is cut off within 'b.txt'"),
    ],
)
def test_a_truncated_tar_gives_what_is_whole_and_says_so(tmp_path, kept: int, damage: str) -> None:
    files = {"a.png": png(drawing()), "a.txt": b"1", "b.png": png(drawing(seed=1))}
    tar = write_tar(tmp_path / "a.tar", files, format=tarfile.USTAR_FORMAT)
    data = tar.read_bytes().rstrip(b"\0")
    end = len(data) + -len(data) % 512
    last = tarfile.TarInfo("b.txt")
    last.size = 600
    data = data + bytes(end - len(data)) + last.tobuf() + b"2" * 600
    tar.write_bytes(data[: end + kept])
    report = import_tars([tar], tmp_path / "out")
    assert labels(tmp_path / "out") == ["1"]
    assert report.refused[-1].key is None
    assert report.refused[-1].reason.startswith(damage)
    assert report.refused[0].key == "b"


def test_what_follows_the_end_of_a_tar_is_told(tmp_path: Path) -> None:
    files = {"a.png": png(drawing()), "a.txt": b"1"}
    one, two = (write_tar(tmp_path / name, files) for name in ("1.tar", "2.tar"))
    one.write_bytes(one.read_bytes() + two.read_bytes())  # as `cat` joins tars
    report = import_tars([one], tmp_path / "out")
    assert reasons(report) == {None: "it goes on after its end: what follows is not read"}


def test_two_files_of_one_name_are_not_guessed_at(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", {"a.png": png(drawing()), "a.txt": b"1"})
    with tarfile.open(tar, "a") as file:
        info = tarfile.TarInfo("a.txt")
        info.size = 1
        file.addfile(info, io.BytesIO(b"2"))
    with pytest.raises(UserError, match=r"nothing is imported of the 1 samples found; "):
        import_tars([tar], tmp_path / "out")
    assert "two of its files have one name" in (tmp_path / "out" / REFUSED).read_text()
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    files = {"a.png": png(drawing()), "a.txt": b"1", "b.txt": b"2", "a.npy": b"x"}
    write_tar(tmp_path / "in.tar", files)
    shards = Path(sys.executable).with_name("shards")
    done = subprocess.run(
        [shards, "import", tmp_path / "in.tar", tmp_path / "out", "--ignore", ".npy"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"not taken: {tmp_path / 'in.tar'}, b: it has no picture",
        f"not taken: 1 in all, listed in {tmp_path / 'out' / REFUSED}",
        "left unread, as asked: 1 files",
        f"{tmp_path / 'out'}: 1 train images, 1 as they were, 0 by fit(); hands are not known, so "
        "that splits may share some",
    ]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["none.tar"], "does not exist: name tars"),
        (["empty"], "holds no tar"),
        (["text.tar"], r"text\.tar is no tar"),
        (["a.tar.gz"], r"a\.tar\.gz is no sound gzip .Compressed file ended before"),
        (["a.tar.xz"], r"a\.tar\.xz is no tar .of compressed ones, \.gz is read"),
        (["zeros.tar.gz"], "becomes over 100 times as large unpacked: nothing of it is read"),
    ],
)
def test_what_is_no_tar_is_refused(tmp_path: Path, paths: list[str], message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_text("hello")
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(bytes(10_240))[:-9])
    (tmp_path / "zeros.tar.gz").write_bytes(gzip.compress(bytes(1 << 22)))
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz"):
        pass
    with pytest.raises(UserError, match=message):
        import_tars([tmp_path / path for path in paths], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_not_touched(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", {"a.png": png(drawing()), "a.txt": b"1"})
    with pytest.raises(UserError, match=r"is not empty, it has a\.tar: import into a new folder"):
        import_tars([tar], tmp_path)
    with pytest.raises(UserError, match=r"a\.tar is a file: name the new folder last"):
        import_tars([tar], tar)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_json_that_has_no_label_tells_of_other_things(tmp_path: Path) -> None:
    tar = write_tar(
        tmp_path / "a.tar",
        {
            **{"a.png": png(drawing()), "a.txt": b"12", "a.json": b'{"width": 60}'},
            **{"b.png": png(drawing(seed=2)), "b.json": b'{"width": 60}'},
        },
    )
    report = import_tars([tar], tmp_path / "out")
    assert labels(tmp_path / "out") == ["12"]
    assert report.unused == {"width"}
    assert reasons(report) == {"b": "its .json has no label that is a string or a whole number"}


def test_what_an_import_of_nothing_left_does_not_bar_the_next(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", {"a.png": png(drawing()), "a.txt": b"x", "a.cls": b"7"})
    with pytest.raises(UserError, match="nothing is imported of the 1 samples"):
        import_tars([tar], tmp_path / "out")
    with pytest.raises(UserError, match=r"ends in '\*\.txt': give an ending like \.json"):
        import_tars([tar], tmp_path / "out", ignore=["*.txt"])
    import_tars([tar], tmp_path / "out", ignore=[".txt"])
    assert labels(tmp_path / "out") == ["7"]
