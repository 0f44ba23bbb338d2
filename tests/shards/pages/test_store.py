import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shards.canvas import crop_ink
from shards.errors import UserError
from shards.pages.store import Kept, Store, slug
from shards.strokes import Drawing, read_drawing

DRAWING = Drawing("7", 3.0, (np.array([[0.0, 0.0], [9.0, 0.0], [2.0, 20.0]]),))


def kept(number: int, stem: str = "7/anna") -> Kept:
    return Kept(f"{number:032x}", stem, DRAWING, {"writer": "anna"})


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@given(st.text(max_size=80))
def test_a_writer_is_a_plain_part_of_a_files_name(name: str) -> None:
    try:
        made = slug(name)
    except UserError:
        assert not any(character.isalnum() for character in slug_input(name))
        return
    assert not set(made) & set("/\\_.: \0\n")
    assert made.strip("-") == made
    assert len(f"{made}_123456.json".encode()) < 255


def slug_input(name: str) -> str:
    return name.casefold()[:40]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Anna", "anna"),
        ("  Anna  Lee ", "anna-lee"),
        ("Jürgen", "jürgen"),
        ("Ju\u0308rgen", "jürgen"),
        ("安娜", "安娜"),
        ("../../etc/passwd", "etc-passwd"),
        ("a_b", "a-b"),
        ("C:\\con\0.png", "c-con-png"),
        ("x" * 500, "x" * 40),
    ],
)
def test_names_keep_their_letters(name: str, wanted: str) -> None:
    assert slug(name) == wanted


@pytest.mark.parametrize("name", ["", " ", "..", "/", "\u0301", "\u202e", "\U0001f600"])
def test_a_name_without_a_letter_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="no letter and no digit"):
        slug(name)


def test_a_drawing_is_saved_as_a_picture_and_strokes(tmp_path: Path) -> None:
    picture = Store(tmp_path).save(kept(1))
    assert names(tmp_path) == ["7/anna_1.json", "7/anna_1.png"]
    image = np.asarray(Image.open(picture))
    assert (image.dtype, image[0, 0], image.min()) == (np.uint8, 255, 0)
    rim = np.ones(image.shape, bool)
    rim[3:-3, 3:-3] = False
    assert (image[rim] == 255).all()  # or the doctor would call it cut off
    height, width = crop_ink(picture).shape
    assert height == pytest.approx(128, abs=4)
    assert width == pytest.approx(128 * 12 / 23, abs=4)
    again = read_drawing(tmp_path / "7" / "anna_1.json")
    np.testing.assert_array_equal(again.strokes[0], DRAWING.strokes[0])
    assert json.loads((tmp_path / "7/anna_1.json").read_text())["writer"] == "anna"


def test_numbers_go_on_and_nothing_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "anna_4.png").write_bytes(b"hers")
    (tmp_path / "7" / "anna_x.png").write_bytes(b"no number")
    (tmp_path / "7" / "ann_9.png").write_bytes(b"another's")
    assert Store(tmp_path).save(kept(1)).name == "anna_5.png"
    assert (tmp_path / "7" / "anna_4.png").read_bytes() == b"hers"


def test_the_same_drawing_sent_twice_is_one_also_to_a_new_server(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.save(kept(1))
    store.save(kept(2))
    assert store.save(kept(1)) == first
    assert Store(tmp_path).save(kept(1)) == first
    assert len(names(tmp_path)) == 4


def test_what_a_killed_server_left_half_is_made_whole(tmp_path: Path) -> None:
    first = Store(tmp_path).save(kept(1))
    first.unlink()
    (tmp_path / "7" / "anna_2.json").touch()  # reserved, and killed
    store = Store(tmp_path)
    assert store.save(kept(1)) == first
    assert store.save(kept(2)).name == "anna_3.png"
    assert first.is_file()


def test_a_folder_that_was_removed_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "drawn")
    first = store.save(kept(1))
    shutil.rmtree(tmp_path / "drawn")
    assert store.save(kept(1)) == first
    assert names(tmp_path) == ["drawn/7/anna_1.json", "drawn/7/anna_1.png"]


def test_two_servers_on_one_folder_take_different_numbers(tmp_path: Path) -> None:
    stores = [Store(tmp_path) for _ in range(4)]

    def save(turn: int) -> None:
        for number in range(5):
            stores[turn].save(kept(10 * turn + number))

    threads = [threading.Thread(target=save, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = {json.loads(path.read_text())["id"] for path in tmp_path.glob("7/*.json")}
    assert len(ids) == len(names(tmp_path)) / 2 == 20


def test_a_drawing_kept_under_another_label_moves(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(kept(1, "407"))
    store.save(kept(1, "401"))
    assert names(tmp_path) == ["401_1.json", "401_1.png"]


def test_a_removed_drawing_is_gone_and_only_that(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(kept(1))
    store.save(kept(2))
    assert store.remove(kept(1).id)
    assert not store.remove(kept(1).id)
    assert names(tmp_path) == ["7/anna_2.json", "7/anna_2.png"]
    assert store.count("anna") == 1
    assert store.count("ann") == 0
