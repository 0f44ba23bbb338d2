"""The commands as a person runs them: real processes."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from generator.bank import Bank
from shards.reader import DataSet


def generator(*arguments: object, program: str = "generator") -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [str(Path(sys.executable).with_name(program)), *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


shards = partial(generator, program="shards")


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_from_drawn_digits_to_a_data_set(tmp_path: Path) -> None:
    drawn = generator("pen", tmp_path / "pens", "--writers", 4, "--per-digit", 1, "--seed", 5)
    assert "40 digits by 4 model writers" in drawn.stdout
    bank = generator(
        "digits", tmp_path / "bank.h5", "--folder", tmp_path / "pens", "--no-custom",
        "--licence", "MIT", "--sheet", tmp_path / "sheet.png",
    )  # fmt: skip
    assert bank.returncode == 0, bank.stderr
    assert "pens                    4      4" in bank.stdout
    assert Image.open(tmp_path / "sheet.png").width > 500
    built = generator(
        "build", tmp_path / "set", "--bank", tmp_path / "bank.h5", "--preset", "tiny",
        "--count", 30, "--val", 5, "--test", 0, "--workers", 1, "--set", "gap=-1:2",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "recipe tiny" in built.stdout
    assert "-1 to 2" in built.stdout
    assert "5 val, 30 train images in 2 shards" in built.stdout
    assert built.stderr == ""


def test_strokes_become_a_test_set(tmp_path: Path) -> None:
    drawn = [{"label": d, "writer": 1, "strokes": [[[0, 0], [d, 9]]]} for d in range(10)]
    (tmp_path / "drawn.jsonl").write_text("\n".join(map(json.dumps, drawn)))
    built = generator("strokes", tmp_path / "drawn.jsonl", tmp_path / "set", "--count", 20)
    assert built.returncode == 0, built.stderr
    assert "20 test images by 1 writers" in built.stdout
    assert DataSet(tmp_path / "set").manifest.sources[0]["name"] == "drawn"
    (tmp_path / "drawn.jsonl").write_text("seven")
    refused(generator("strokes", tmp_path / "drawn.jsonl", tmp_path / "no"), "line 1", "not JSON")


def test_the_embedded_digits_need_no_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = generator("preview", tmp_path / "sheet.png", "--preset", "clean", "--count", 8)
    assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / "sheet.png").height > 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--preset", "adult"), ("no preset 'adult'", "child")),
        (("--set", "gap=3:1"), ("upside down", "gap=1:3")),
        (("--shared",), ("--shared and --address are of a cluster", "--engine ray")),
        (("--address", "host:1"), ("--shared and --address are of a cluster", "--engine ray")),
        (("--bank", "/nowhere/bank.h5"), ("/nowhere/bank.h5", "generator digits")),
    ],
)
def test_bad_options_are_one_sentence(
    bank: Bank, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    if "--bank" not in arguments:
        arguments = (*arguments, "--bank", str(bank.path))
    refused(generator("build", tmp_path / "out", "--count", 10, *arguments), *words)
    assert not (tmp_path / "out").exists()


def test_a_file_where_a_folder_is_meant_is_named(bank: Bank, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for out in ("file", "file/set"):
        refused(
            generator("build", tmp_path / out, "--bank", bank.path, "--count", 10),
            f"{tmp_path / 'file'} is a file: name another folder",
        )


def test_help_teaches_each_command() -> None:
    text = generator("--help").stdout
    for command in ("digits", "pen", "strokes", "build", "preview"):
        assert command in text
    assert "the same bytes" in generator("build", "--help").stdout.replace("\n", " ")


def test_a_set_is_built_in_parts_merged_and_added_to(bank: Bank, tmp_path: Path) -> None:
    options = (
        "--bank", bank.path, "--preset", "tiny", "--count", 30, "--val", 5, "--test", 0,
        "--shard-size", 10, "--workers", 1,
    )  # fmt: skip
    for part in ("1/2", "2/2"):
        built = generator("build", tmp_path / part[0], *options, "--only", part)
        assert built.returncode == 0, built.stderr
        assert f"part {part}, 2 of 4 shards, 0 MB; next, with all parts: shards mer" in built.stdout
    refused(
        generator("build", tmp_path / "3", *options, "--only", "3/2"),
        "'3/2' is no part of a build",
    )
    merged = shards("merge", tmp_path / "set", tmp_path / "1", tmp_path / "2")
    assert f"{tmp_path / 'set'}: 35 images in 4 shards of 2 parts\n" in merged.stdout
    refused(shards("info", tmp_path / "1"), "is the part 1/2 of a data set; join all of them")
    added = generator("extend", tmp_path / "set", "--count", 12, "--bank", bank.path)
    assert added.returncode == 0, added.stderr
    assert "set: now 1.1.0\n" in added.stdout
    assert "5 val, 42 train images in 5 shards" in added.stdout
    assert "1.1.0 (format 2, seed 1)" in shards("info", tmp_path / "set").stdout
    assert "added       12 train, with" in shards("info", tmp_path / "set").stdout
