import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.reproduce import SCALES, Way
from scripts.results import write_results
from scripts.steps import Step, Steps


@pytest.fixture
def seen() -> list[list[Step]]:
    return []


def steps(folder: Path, seen: list[list[Step]], limit: float = 0) -> Steps:
    return Steps(folder, limit, 1, seen.append)


def zip_of(name: str, folder: Path) -> tuple[list[object], Path]:
    (folder / name).write_text("some")
    return ["zipfile", "-c", folder / f"{name}.zip", folder / name], folder / f"{name}.zip"


def test_a_step_runs_once_while_its_product_is_there(
    tmp_path: Path, seen: list[list[Step]]
) -> None:
    command, product = zip_of("a", tmp_path)
    assert steps(tmp_path, seen).run("a", command, product)
    assert [(s.name, s.fault) for s in seen[-1]] == [("a", "")]
    assert steps(tmp_path, seen).run("a", command, product, ("--resume",))
    assert len(seen) == 1
    product.unlink()
    assert steps(tmp_path, seen).run("a", command, product)
    other = ["zipfile", "-c", product, tmp_path / "steps.json"]
    assert steps(tmp_path, seen).run("a", other, product)
    assert len(seen) == 3


def test_a_step_runs_again_after_what_it_is_made_of(tmp_path: Path, seen: list[list[Step]]) -> None:
    command, product = zip_of("a", tmp_path)
    made_of = (tmp_path / "a",)
    for _ in range(2):
        assert steps(tmp_path, seen).run("a", command, product, made_of=made_of)
    assert len(seen) == 1
    later = product.stat().st_mtime_ns + 1
    os.utime(tmp_path / "a", ns=(later, later))
    assert steps(tmp_path, seen).run("a", command, product, made_of=made_of)
    assert len(seen) == 2


def test_only_what_was_begun_with_the_same_command_goes_on(
    tmp_path: Path, seen: list[list[Step]]
) -> None:
    """Another command would else go on with the old one's options, and be told as done."""
    say = ["timeit", "-n", 1, "-r", 1, "import sys; print(sys.argv[6:]); sys.exit(1)"]

    def run(number: int) -> str:
        steps(tmp_path, seen).run("a", [*say, number], tmp_path, again=("7",))
        return (tmp_path / "logs" / "a.log").read_text()

    assert run(1).startswith("['1']\n")
    assert run(1).startswith("['1', '7']\n")
    assert run(2).startswith("['2']\n")


def test_what_was_killed_is_known_as_begun(tmp_path: Path, seen: list[list[Step]]) -> None:
    found: list[str] = []

    class Looking(Steps):
        def _run(self, words: list[str], log: Path) -> str:
            found.append((tmp_path / "steps.json").read_text())
            return super()._run(words, log)

    command, product = zip_of("a", tmp_path)
    assert Looking(tmp_path, 0, 1, seen.append).run("a", command, product)
    assert json.loads(found[0])[0]["fault"] == "has not ended"


def test_a_failed_step_is_named_and_runs_again(tmp_path: Path, seen: list[list[Step]]) -> None:
    command, product = ["zipfile", "-l", tmp_path / "none.zip"], tmp_path
    assert not steps(tmp_path, seen).run("a", command, product)
    assert "exit status 1: FileNotFoundError" in seen[-1][0].fault
    assert not steps(tmp_path, seen).run("a", command, product)
    assert len(seen) == 2
    assert not steps(tmp_path, seen).run("b", ["json.tool", "--help"], tmp_path / "none")
    assert seen[-1][1].fault.endswith("none was not made")


def test_the_limit_stops_a_step(tmp_path: Path, seen: list[list[Step]]) -> None:
    sleep = ["timeit", "-n", 1, "-r", 1, "import time; time.sleep(60)"]
    assert not steps(tmp_path, seen, limit=0.5 / 60).run("a", sleep, tmp_path)
    assert seen[-1][0].fault == "stopped: the time was up"
    assert seen[-1][0].seconds < 30


def shipped(out: Path, precision: str, share: float) -> None:
    """A nano as `trainer ship` leaves it, measured on one set."""
    folder = out / f"nano-{precision}"
    folder.mkdir(parents=True)
    exact = {"count": 10_000, "share": share, "low": share - 0.01, "high": share + 0.01}
    tests = {"tablet": {"exact": exact, "calibration": {"error": 0.004, "covered": exact}}}
    figures = {"bytes": 147_657, "milliseconds": 0.214, "tests": tests}
    (folder / "evaluation.json").write_text(json.dumps(figures))
    (folder / "reader.json").write_text(json.dumps({"parameters": "116838"}))


def test_results_tell_what_is_known_so_far(tmp_path: Path) -> None:
    write_results(tmp_path, ["- a machine"], ["nano", "base"], [])
    assert "| nano | - | - | - | - | - | - |" in (tmp_path / "RESULTS.md").read_text()
    shipped(tmp_path, "fp32", 0.98)
    done = [Step("train-nano", "python -m trainer train", 61.2, ""), Step("x", "y", 1, "bad")]
    write_results(tmp_path, ["- a machine"], ["nano", "base"], done)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| nano | tablet | 10,000 | 0.9800 [0.9700, 0.9900] | - |" in text
    assert "| nano-fp32 | tablet | 0.0040 | 0.9800 [0.9700, 0.9900] |" in text
    assert "| nano | 116,838 | 147.7 | - | 0.21 | - | 61 s |" in text
    assert "- **x** failed: bad" in text
    assert "   61.2 s  python -m trainer train" in text
    shipped(tmp_path, "int8", 0.97)
    write_results(tmp_path, ["- a machine"], ["nano", "base"], done)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| 0.9800 [0.9700, 0.9900] | 0.9700 [0.9600, 0.9800] |" in text


class Noted(Steps):
    """Steps that only note their commands."""

    def run(self, name: str, command: list[object], *_: object, **__: object) -> bool:
        text = "python -m " + " ".join(map(str, command))
        self._add(Step(name, text, 0.0, ""))
        return True


def test_tests_stay_out_of_training_and_every_reader_meets_them(
    tmp_path: Path, seen: list[list[Step]]
) -> None:
    digits = tmp_path / "digits"
    for name in ("mnist", "kensanata", "tablet"):
        (digits / name).mkdir(parents=True)
    (digits / "tablet" / "digits.jsonl").write_text("{}\n")
    way = Way(Noted(tmp_path, 0, 1, seen.append), digits, SCALES["full"], tmp_path / "out")
    way.reference_test()
    way.tablet_test()
    assert way.training_set()
    assert way.train("nano", 1, 256)
    (tmp_path / "onnx" / "nano").mkdir(parents=True)
    way.finish("nano")
    commands = {step.name: step.command for step in seen[-1]}
    bank, child, ship = (commands[name].split() for name in ("bank", "child", "ship-nano"))
    assert not any("tablet" in word for word in bank)
    assert bank[bank.index("--test") + 1] == "0"  # of the folders' writers: MNIST's test part tests
    assert child[child.index("--bank") + 1] == str(tmp_path / "bank.h5")
    tests = [Path(word).name for before, word in pairwise(ship) if before == "--test"]
    assert tests == ["child", "reference", "tablet"]
    made_by = (tmp_path / "onnx" / "nano" / "commands.txt").read_text().splitlines()
    wanted = ("pen", "bank", "child", "train-nano", "export-nano", "quantize-nano")
    assert made_by == [commands[name].removeprefix("python -m ") for name in wanted]
    for test in ("reference", "tablet"):
        assert "--count 10000" in commands[test] or "--test 10000" in commands[test]
