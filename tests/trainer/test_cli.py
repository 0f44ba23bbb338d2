import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shards.reader import DataSet
from trainer.cli import app


def trainer(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from trainer.cli import main; sys.argv[0] = 'trainer'; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_evaluate_prints_and_writes_its_figures(run: Path, printed: DataSet, tmp_path) -> None:
    done = trainer("evaluate", run, printed.folder, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "n = 64" in done.stdout
    result = json.loads((tmp_path / "evaluation.json").read_text())
    assert result["exact"]["count"] == 64
    assert {path.name for path in tmp_path.iterdir()} == {
        "evaluation.json",
        "confusion.png",
        "reliability.png",
        "worst.png",
    }


def test_a_run_becomes_readers_to_give_away(run: Path, printed: DataSet, tmp_path: Path) -> None:
    def said(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.output

    data, onnx = printed.folder, tmp_path / "onnx"
    assert "(n = 64); next: trainer quantize" in said("export", run, onnx, "--data", data)
    lines = said("quantize", onnx, data, "--max-drop", 1).splitlines()
    assert lines[0].endswith("KB; exact:")
    assert [line.split()[-1] for line in lines[1:2]] == ["64"]
    assert [line.split()[2] for line in lines[2:7]] == ["1", "2", "3", "4", "5"]
    (tmp_path / "commands.txt").write_text("generator build numbers\n")
    commands = ("--commands", tmp_path / "commands.txt")
    said("ship", onnx, tmp_path / "out", "--test", data, *commands)
    text = (tmp_path / "out" / "nano-int8" / "README.md").read_text()
    assert "```sh\ngenerator build numbers\n```" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "{data}", "--device", "cuda"), "no CUDA device was found here"),
        (("train", "{data}", "--device", "tpu"), "device 'tpu' is unknown"),
        (("train", "{data}", "--model", "huge"), "model 'huge' is unknown"),
        (("train", "{data}", "--precision", "half"), "precision 'half' is unknown"),
        (("train", "{data}/none"), "is no data set"),
        (
            ("train", "{data}", "--judge", "large"),
            "large is no run folder, no checkpoint and no reader that ships with its weights",
        ),
        (("train", "{data}", "--candidates", "8"), "--candidates is for a --judge to choose from"),
        (("read", "x.png", "--model", "{data}"), "is a folder; name a file in it, like"),
        (("train", "{data}", "--rate", "nan"), "rate is nan; it must not be negative"),
        (
            ("train", "{data}", "--init", "huge"),
            "huge is no run folder, no checkpoint",
        ),
        (("evaluate", "{data}", "{data}"), "is no checkpoint file"),
        (("report", "{data}"), "is no run, which has best.safetensors and log.jsonl"),
        (("adapt", "out", "--digits", "none"), "none is no folder"),
        (("adapt", "out", "--digits", "none", "--own", "1"), "give a share between 0 and 1"),
    ],
)
def test_a_users_mistake_is_one_sentence(
    arguments: tuple[str, ...], message: str, printed: DataSet, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = trainer(*(argument.format(data=printed.folder) for argument in arguments))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("*.safetensors"))


def test_two_readers_of_a_folder_have_an_evaluation_each(
    run: Path, printed: DataSet, tmp_path: Path
) -> None:
    for name in ("best", "other"):
        shutil.copy(run / "best.safetensors", tmp_path / f"{name}.safetensors")
        done = trainer("evaluate", tmp_path / f"{name}.safetensors", printed.folder, "--images", 5)
        assert done.returncode == 0, done.stderr
    for name in ("best", "other"):
        report = tmp_path / f"evaluation-{name}-printed-test" / "evaluation.json"
        assert json.loads(report.read_text())["model"] == str(tmp_path / f"{name}.safetensors")


def test_a_checker_is_not_made_of_nothing(tmp_path: Path) -> None:
    done = trainer("checker", tmp_path, "data", "--images", "0")
    assert done.returncode == 2
    assert "greater than or equal to 1" in done.stderr


def test_help_names_every_command_without_loading_torch() -> None:
    code = "import sys, trainer.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    done = trainer("--help")
    commands = "train evaluate export quantize read compare kit ship adapt"
    for command in (*commands.split(), "check", "answers", "checker", "whence", "mobile"):
        assert command in done.stdout
