import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shards.errors import UserError
from trainer.cli import app
from trainer.kit import ENGINES, KITS, find_model, write_kit
from trainer.read import PRETRAINED


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
    for name in own:
        assert (kit / name).read_bytes() == (KITS / engine / name).read_bytes()
    assert (kit / "reader.onnx").read_bytes() == (reader / "reader.onnx").read_bytes()
    assert [path.name for path in kit.parent.iterdir()] == ["kit"]


def test_a_checker_comes_along(tmp_path: Path) -> None:
    shutil.copytree(PRETRAINED / "nano-int8", tmp_path / "own")
    (tmp_path / "own/checker.onnx").write_bytes(b"a checker")
    (tmp_path / "kit").mkdir()  # an empty folder is as good as none
    assert "checker.onnx" in write_kit(tmp_path / "kit", "web", str(tmp_path / "own"))
    assert (tmp_path / "kit/checker.onnx").read_bytes() == b"a checker"


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
