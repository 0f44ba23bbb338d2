from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shards.cli import main
from tests.shards.conftest import random_samples, write_set


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the console script; return exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr("sys.argv", ["shards", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_of:
            main()
        return exit_of.value.code, *capsys.readouterr()

    return run


def test_info_tells_what_a_set_holds(built, command) -> None:
    code, out, _ = command("info", built[0])
    assert code == 0
    assert out.startswith("noise 1.0.0 (format 1, seed 7)\nfingerprint ")
    assert "100 samples in 5 shards, 721,920 bytes\n" in out
    assert "train       70 samples in 3 shards\n" in out
    assert 'recipe      {"height": [20, 28], "gap": {"touch": 0.25}}' in out
    assert "noise       900 digits, 3 writers, CC0\n" in out


def test_info_tells_how_far_a_build_is(built, command) -> None:
    (built[0] / "manifest.json").rename(built[0] / "plan.json")
    (built[0] / "train-00001.tar").unlink()
    assert (
        "train       70 samples in 3 shards, 32 of them on disk so far\n"
        in command("info", built[0])[1]
    )


def test_verify_says_sound_or_fails(built, command) -> None:
    code, out, _ = command("verify", built[0])
    assert code == 0
    assert out.startswith("sound: 100 samples in 5 shards")
    (built[0] / "val-00000.tar").unlink()
    missing = "val-00000.tar is missing, with samples 000000020 to 000000029\n"
    assert command("verify", built[0])[:2] == (1, missing)


def test_preview_writes_a_png(built, command, tmp_path: Path) -> None:
    code, _, _ = command("preview", built[0], tmp_path / "out.png", "--split", "val", "--count", 8)
    assert code == 0
    with Image.open(tmp_path / "out.png") as page:
        assert page.size == (1084, 208)
        assert np.ptp(np.asarray(page)) > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "{tmp}"), "neither manifest.json nor plan.json"),
        (("preview", "{set}", "{tmp}/out.jpg"), "does not end in .png"),
        (("preview", "{set}", "{tmp}/no/out.png"), "no is no folder: make it"),
        (("preview", "{set}", "{tmp}/out.png", "--split", "dev"), "no split 'dev'"),
    ],
)
def test_mistakes_are_told_in_one_sentence(built, command, tmp_path, arguments, message) -> None:
    paths = {"set": built[0], "tmp": tmp_path}
    code, out, _ = command(*(argument.format(**paths) for argument in arguments))
    assert message in code
    assert code.startswith("error: ")
    assert "\n" not in code
    assert out == ""
    assert not (tmp_path / "out.png").exists()


def test_diff_tells_the_version_and_draws_what_changed(built, command, tmp_path: Path) -> None:
    other, sheet = tmp_path / "other", tmp_path / "sheet.png"
    write_set(other, {"test": random_samples(20, 9)})
    code, out, _ = command("diff", built[0], other, "--sheet", sheet)
    assert code == 0
    assert out.startswith("noise 1.0.0 to noise 1.0.0: major, ")
    assert out.endswith(f"{sheet}: 20 samples that changed, before and after\n")
    with Image.open(sheet) as page:
        assert page.width > 1000
    sheet.unlink()
    code, out, _ = command("diff", built[0], built[0], "--sheet", sheet)
    assert (code, sheet.exists()) == (0, False)
    assert out.endswith(f"no sample changed: {sheet} is not drawn\n")


def test_overlap_fails_if_anything_is_shared(built, command, tmp_path: Path) -> None:
    train_and_test = ("--split", "train", "--against", "test")
    code, out, _ = command("overlap", built[0], built[0], built[0], *train_and_test)
    assert code == 0
    assert out.count(f"{built[0]} (train) and {built[0]} (test): 70 and 20 samples\n") == 2
    code, out, _ = command("overlap", built[0], built[0])
    assert code == 1
    assert "pictures    shared by 100 and 100 samples\n" in out
