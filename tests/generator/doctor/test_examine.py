"""Each way to spoil a folder of digits is found, in a folder by the pen model that is sound."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

from generator.bank import Bank
from generator.cli import app
from generator.doctor import Report, as_html, examine
from generator.embedded import embedded_bank
from generator.pen import save_digits
from generator.sources.folder import read_folder
from shards.errors import UserError


@pytest.fixture(scope="module")
def bank() -> Bank:
    return Bank(embedded_bank())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_digits(tmp_path / "digits", 4, 2, 900)
    return tmp_path / "digits"


def first(folder: Path, digit: int) -> Path:
    return sorted((folder / str(digit)).glob("*.png"))[0]


def kinds(report: Report, path: Path) -> set[str]:
    return {finding.kind for finding in report.findings if finding.path == path}


def edit(change: Callable[[Image.Image], Image.Image]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with Image.open(path) as image:
            changed = change(image.convert("L"))
        changed.save(path)

    return spoil


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def to_alpha(image: Image.Image) -> Image.Image:
    inked = Image.new("RGBA", image.size, (0, 0, 0, 0))
    inked.putalpha(ink(image))
    return inked


def ink(image: Image.Image) -> Image.Image:
    """White on black, whichever it was."""
    return image if np.asarray(image)[0, 0] < 128 else ImageOps.invert(image)


def crop(image: Image.Image) -> Image.Image:
    _left, top, _right, bottom = ink(image).getbbox() or (0, 0, 0, 0)
    return image.crop((0, (top + bottom) // 2, image.width, image.height))


def dirty(image: Image.Image) -> Image.Image:
    page = Image.new("L", (3 * image.width, image.height), image.getpixel((0, 0)))
    page.paste(image, (0, 0))
    page.paste(255 - int(image.getpixel((0, 0))), (page.width - 8, 4, page.width - 5, 7))
    return page


def test_a_sound_folder_has_no_bad_files(folder: Path, bank: Bank) -> None:
    report = examine(folder, bank)
    assert report.digits == [8] * 10
    assert sorted(report.writers.values()) == [20] * 4
    assert {f.kind for f in report.findings} <= {"mislabelled"}
    assert len(report.findings) <= 5  # of 80: an odd hand may look mislabelled


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("unreadable", truncate),
        ("empty", edit(lambda image: Image.new("L", image.size, 255))),
        ("alpha", edit(to_alpha)),
        ("polarity", edit(ImageOps.invert)),
        ("cropped", edit(crop)),
        ("dirt", edit(dirty)),
    ],
)
def test_what_one_picture_shows(
    folder: Path, bank: Bank, kind: str, spoil: Callable[[Path], None]
) -> None:
    path = first(folder, 3)
    spoil(path)
    assert kind in kinds(examine(folder, bank), path)


def test_a_file_in_no_place_of_a_digit(folder: Path, bank: Bank) -> None:
    stray = folder / "7" / "scan.jpg"
    Image.new("L", (9, 9)).save(stray)
    report = examine(folder, bank)
    assert kinds(report, stray) == {"misplaced"}
    assert report.files == 81


def test_strokes_that_no_bank_can_read(folder: Path, bank: Bank) -> None:
    picture = first(folder, 7)
    picture.with_suffix(".json").write_text("{bad")
    assert kinds(examine(folder, bank), picture) == {"unreadable"}


def test_a_name_that_is_no_text(folder: Path, bank: Bank) -> None:
    odd = folder / "7" / os.fsdecode(b"J\xf6rg_0.png")
    shutil.copy(first(folder, 7), odd)
    report = examine(folder, bank)
    shown = folder / "7" / "J\\xf6rg_0.png"
    assert kinds(report, shown) == {"misplaced"}
    assert "J\\xf6rg_0.png" in as_html(report)
    with pytest.raises(UserError, match=r"J\\xf6rg_0.png has a name that is not UTF-8"):
        read_folder(folder, "CC0", 0.1, 0.1)


def test_what_the_bank_takes_is_examined(folder: Path, bank: Bank, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for digit in range(10):
        (linked / str(digit)).symlink_to(folder / str(digit))
    assert len(examine(linked, bank).pictures) == len(read_folder(linked, "CC0", 0, 0).labels) == 80


def test_duplicates_within_and_across_classes(folder: Path, bank: Bank) -> None:
    source = first(folder, 2)
    again, other = folder / "2" / "zoe_1.png", folder / "6" / "zoe_2.png"
    shutil.copy(source, again)
    with Image.open(source) as image:
        image.convert("L").resize((150, 150)).save(other)  # and at another size
    found = {f.path: f.reason for f in examine(folder, bank).findings if f.kind == "duplicate"}
    assert found[again] == f"the same picture as {source}"
    assert found[other] == f"the same picture as {source}, there labelled 2"
    assert found[source] == f"the same picture as {other}, there labelled 6"


def test_a_wrong_label(folder: Path, bank: Bank) -> None:
    source = first(folder, 4)
    wrong = source.rename(folder / "0" / source.name.replace("_", "x_"))
    reasons = [f.reason for f in examine(folder, bank).findings if f.path == wrong]
    assert any(reason.startswith("looks like a 4: ") for reason in reasons)


@pytest.mark.parametrize(
    ("how", "turn"),
    [
        ("transposed", Image.Transpose.TRANSPOSE),
        ("mirrored", Image.Transpose.FLIP_LEFT_RIGHT),
        ("upside down", Image.Transpose.ROTATE_180),
    ],
)
def test_a_folder_that_is_turned(folder: Path, bank: Bank, how: str, turn: Image.Transpose) -> None:
    for path in folder.rglob("*.png"):
        edit(lambda image: image.transpose(turn))(path)
    found = [f for f in examine(folder, bank).findings if f.kind == "turned"]
    assert len(found) == 80
    assert all(f.reason.startswith(f"looks {how}: ") for f in found)


def test_the_command_writes_a_page_and_a_list(folder: Path, tmp_path: Path) -> None:
    truncate(first(folder, 5))
    page, listed = tmp_path / "page.html", tmp_path / "list.json"
    options = ["--html", str(page), "--json", str(listed)]
    done = CliRunner().invoke(app, ["doctor", str(folder), *options])
    assert done.exit_code == 0
    assert "79 digits by 4 writers" in done.stdout
    (unreadable,) = [
        f for f in json.loads(listed.read_text())["findings"] if f["kind"] == "unreadable"
    ]
    assert unreadable["path"] == str(first(folder, 5))
    assert unreadable["bad"] is True
    assert str(first(folder, 5)) in page.read_text()
    assert "http" not in page.read_text()  # nothing is loaded
