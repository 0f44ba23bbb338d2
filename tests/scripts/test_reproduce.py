import json
from pathlib import Path
from typing import Any

import pytest

from scripts.results import evaluations, keep, write_results
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


def evaluation(out: Path, name: str, share: float) -> None:
    folder = out / "work" / "evaluations" / name
    folder.mkdir(parents=True)
    exact = {"count": 10_000, "share": share, "low": share - 0.01, "high": share + 0.01}
    (folder / "evaluation.json").write_text(json.dumps({"exact": exact}))


def test_results_tell_what_is_known_so_far(tmp_path: Path) -> None:
    write_results(tmp_path, ["- a machine"], ["nano", "base"], [])
    assert "| nano | - | - | - | - | - | - |" in (tmp_path / "RESULTS.md").read_text()
    evaluation(tmp_path, "nano-fp32-tablet", 0.98)
    onnx = tmp_path / "work" / "onnx"
    onnx.mkdir()
    table = (
        "| model | parameters | fp32 ms | int8 ms |\n| --- |\n| nano | 117,931 | 0.31 | 0.22 |\n"
    )
    (onnx / "nano.md").write_text(f"{table}\nA note.\n")
    done = [Step("train-nano", "python -m trainer train", 61.2, ""), Step("x", "y", 1, "bad")]
    write_results(tmp_path, ["- a machine"], ["nano", "base"], done)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| nano | tablet | 10,000 | 0.9800 [0.9700, 0.9900] | - |" in text
    assert "| nano | 117,931 | - | - | 0.31 | 0.22 | 61 s |" in text
    assert "- **x** failed: bad" in text
    assert "   61.2 s  python -m trainer train" in text


def test_a_reader_is_kept_under_plain_names(tmp_path: Path) -> None:
    evaluation(tmp_path, "nano-int8-tablet", 0.97)
    evaluation(tmp_path, "nano-int8-reference", 0.99)
    onnx = tmp_path / "work" / "onnx" / "nano"
    onnx.mkdir(parents=True)
    for name in ("reader.int8.onnx", "logits.int8.onnx", "reader.int8.json"):
        (onnx / name).write_text(name)
    keep(tmp_path, "nano", "int8")
    kept = {p.name: p.read_text() for p in (tmp_path / "nano-int8").iterdir()}
    assert kept["reader.onnx"] == "reader.int8.onnx"
    assert kept["logits.onnx"] == "logits.int8.onnx"
    assert kept["reader.json"] == "reader.int8.json"
    found: dict[str, Any] = json.loads(kept["evaluation.json"])
    assert found == evaluations(tmp_path, "nano", "int8")
    assert list(found) == ["reference", "tablet"]
