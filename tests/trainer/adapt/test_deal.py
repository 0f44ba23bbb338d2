"""Pictures are learned from or measured with, never both."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shards.errors import UserError
from trainer.adapt.deal import deal


def write(folder: Path, counts: dict[str, int]) -> Path:
    """Files that differ, `counts[writer]` of each digit."""
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
        for writer, count in counts.items():
            for n in range(count):
                (folder / str(digit) / f"{writer}_{n}.png").write_text(f"{digit} {writer} {n}")
    return folder


def contents(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.rglob("*.png"))]


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.sampled_from(["anna", "ben", "c_d"]), st.integers(1, 9), min_size=1))
def test_each_picture_goes_one_way(
    tmp_path_factory: pytest.TempPathFactory, counts: dict[str, int]
) -> None:
    out = tmp_path_factory.mktemp("out")
    folder = write(out / "hers", counts)
    if sum(counts.values()) < 2:
        with pytest.raises(UserError, match="two are needed"):
            deal(folder, out)
        return
    dealt = deal(folder, out)
    learned, held = contents(dealt.train), contents(dealt.held_out)
    assert sorted(learned + held) == sorted(contents(folder))
    assert dealt.writers == tuple(sorted(counts))
    for digit in range(10):
        for writer, count in counts.items():
            mine = [text for text in held if text.startswith(f"{digit} {writer} ")]
            if count > 1:
                assert len(mine) == max(1, round(count / 4))
        assert 1 <= sum(text.startswith(f"{digit} ") for text in held) < sum(counts.values())


def test_of_identical_pictures_one_is_taken(tmp_path: Path) -> None:
    folder = write(tmp_path / "hers", {"anna": 4})
    for n in range(4, 8):
        (folder / "7" / f"anna_{n}.png").write_bytes((folder / "7" / "anna_0.png").read_bytes())
    dealt = deal(folder, tmp_path)
    sevens = [text for text in contents(dealt.train) + contents(dealt.held_out) if text[0] == "7"]
    assert len(sevens) == len(set(sevens)) == 4


def test_strokes_go_with_their_pictures(tmp_path: Path) -> None:
    folder = write(tmp_path / "hers", {"anna": 4})
    for path in folder.rglob("*.png"):
        path.with_suffix(".json").write_text(path.read_text())
    (folder / "7" / "anna_0.png").rename(folder / "7" / "anna_0.PNG")
    dealt = deal(folder, tmp_path)
    pictures = dealt.pictures(dealt.train) + dealt.pictures(dealt.held_out)
    assert len(pictures) == 40
    for path, _ in pictures:
        assert path.with_suffix(".json").read_text() == path.read_text()


def test_a_picture_that_is_no_png_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "hers", {"anna": 4})
    (folder / "7" / "anna_0.png").rename(folder / "7" / "anna_0.jpg")
    with pytest.raises(UserError, match=r"7/anna_0\.jpg is no PNG; save it as one"):
        deal(folder, tmp_path)


def test_what_is_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        deal(tmp_path / "none", tmp_path)
    folder = write(tmp_path / "hers", {"anna": 2})
    (folder / "5" / "anna_1.png").unlink()
    with pytest.raises(UserError, match="5 has 1 different pictures"):
        deal(folder, tmp_path)
    assert not (tmp_path / "train").exists()
