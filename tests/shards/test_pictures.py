from pathlib import Path

import pytest

from shards.pictures import is_png, pictures_in, strokes_beside, writer_of


def test_pictures_are_told_by_their_names_in_order(tmp_path: Path) -> None:
    for name in ("b_2.PNG", "a_1.png", "a_2.jpeg", "a_1.json", "notes.txt"):
        (tmp_path / name).touch()
    found = pictures_in(tmp_path)
    assert [path.name for path in found] == ["a_1.png", "a_2.jpeg", "b_2.PNG"]
    assert [is_png(path) for path in found] == [True, False, True]
    assert pictures_in(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("name", "writer"), [("anna_12.png", "anna"), ("anna_b_1.png", "anna_b"), ("anna.png", "anna")]
)
def test_a_writer_is_what_stands_before_the_last_underscore(name: str, writer: str) -> None:
    assert writer_of(Path("7") / name) == writer


def test_strokes_lie_beside_their_picture(tmp_path: Path) -> None:
    picture = tmp_path / "a_1.png"
    assert strokes_beside(picture) is None
    (tmp_path / "a_1.json").touch()
    assert strokes_beside(picture) == tmp_path / "a_1.json"
