import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shards.errors import UserError
from trainer.cli import app
from trainer.kit import ENGINES, KITS, find_model, write_kit
from trainer.shipped import FOLDER as PRETRAINED


@pytest.mark.parametrize("engine", ENGINES)
def test_a_kit_is_its_files_and_the_reader(engine: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["kit", str(tmp_path / "new/kit"), "--for", engine])
    assert result.exit_code == 0, result.output
    assert "next: " in result.output
    kit, reader = tmp_path / "new/kit", PRETRAINED / "nano-int8"
    own = {path.name for path in (KITS / engine).iterdir()}
    assert own >= {"README.md"}
    optional = {"checker.onnx"} if (reader / "checker.onnx").exists() else set()
    assert {path.name for path in kit.iterdir()} == own | {"reader.onnx", "reader.json"} | optional
    for name in own - {"offline.js"}:  # is stamped, see below
        assert (kit / name).read_bytes() == (KITS / engine / name).read_bytes()
    assert (kit / "reader.onnx").read_bytes() == (reader / "reader.onnx").read_bytes()
    assert [path.name for path in kit.parent.iterdir()] == ["kit"]


def test_a_checker_comes_along(tmp_path: Path) -> None:
    shutil.copytree(PRETRAINED / "nano-int8", tmp_path / "own")
    checker = (tmp_path / "own/checker.onnx").read_bytes()
    (tmp_path / "kit").mkdir()  # an empty folder is as good as none
    assert "checker.onnx" in write_kit(tmp_path / "kit", "web", str(tmp_path / "own"))
    assert (tmp_path / "kit/checker.onnx").read_bytes() == checker


def test_only_what_a_game_can_open_is_packed(tmp_path: Path) -> None:
    nano, own = PRETRAINED / "nano-int8", tmp_path / "own"
    shutil.copytree(nano, own)
    shutil.copyfile(nano / "logits.onnx", own / "reader.onnx")
    with pytest.raises(UserError, match="maps .* not image to reading; name the reader"):
        write_kit(tmp_path / "kit", "web", str(own))
    (own / "reader.onnx").write_text("hello")
    with pytest.raises(UserError, match=r"reader\.onnx is no ONNX file"):
        write_kit(tmp_path / "kit", "web", str(own))
    shutil.copyfile(nano / "reader.onnx", own / "reader.onnx")
    shutil.copyfile(PRETRAINED / "optimized-int8" / "checker.onnx", own / "checker.onnx")
    with pytest.raises(UserError, match="are of different weights: name a folder that trainer"):
        write_kit(tmp_path / "kit", "web", str(own))
    assert not (tmp_path / "kit").exists()


def test_a_browser_that_keeps_a_kit_sees_another(tmp_path: Path) -> None:
    for name in ("nano", "nano-fp32"):
        for again in ("a", "b"):
            write_kit(tmp_path / f"{name}-{again}", "web", name)
    versions = {
        path.parent.name: line
        for path in tmp_path.glob("*/offline.js")
        for line in path.read_text().splitlines()
        if line.startswith("const VERSION")
    }
    assert versions["nano-a"] == versions["nano-b"] != versions["nano-fp32-a"]
    assert re.fullmatch('const VERSION = "[0-9a-f]{16}";', versions["nano-a"])


def test_models_are_found_by_name() -> None:
    assert find_model("nano") == PRETRAINED / "nano-int8"
    assert find_model("nano-fp32") == PRETRAINED / "nano-fp32"
    assert find_model("optimized") == PRETRAINED / "optimized-int8"
    with pytest.raises(UserError, match="huge is no reader that ships .nano-fp32, nano-int8, opt"):
        find_model("huge")


def test_a_folder_beside_the_one_named_is_not_taken(tmp_path: Path) -> None:
    for name in ("mine", "mine-int8"):
        shutil.copytree(PRETRAINED / "nano-int8", tmp_path / name)
    assert find_model(str(tmp_path / "mine")) == tmp_path / "mine"


def test_a_folder_called_like_one_that_ships_is_taken(tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(PRETRAINED / "nano-fp32", tmp_path / "nano-int8")
    monkeypatch.chdir(tmp_path)
    assert find_model("./nano-int8") == find_model("nano-int8") == Path("nano-int8")
    assert find_model("nano-fp32") == PRETRAINED / "nano-fp32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--for", "unity"), "a kit for 'unity' is unknown; there are godot, native, web"),
        (("--for", "web", "--model", "."), ". is no reader that ships"),
        (("--for", "web"), "is not empty: name a new folder for the kit"),
    ],
)
def test_what_is_there_is_kept(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/index.html").write_text("mine")
    result = CliRunner().invoke(app, ["kit", "mine", *arguments])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "index.html"]
    assert (tmp_path / "mine/index.html").read_text() == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "kit").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        write_kit(tmp_path / "kit", "web", "nano")
    assert (tmp_path / "kit").read_text() == "mine"


def test_a_kit_that_was_cut_off_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        write_kit(tmp_path / "kit", "web", "nano")
    assert list(tmp_path.iterdir()) == []
