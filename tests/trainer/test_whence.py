"""Where a reader comes from, and what does not belong to it."""

import json
import shutil
from pathlib import Path

import onnx
import pytest
import torch
from onnx import helper
from typer.testing import CliRunner

from shards.errors import UserError
from shards.manifest import MANIFEST
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.check_export import add_checkers
from trainer.checkpoint import BEST, save_weights, weights_sha256
from trainer.cli import app
from trainer.config import Config
from trainer.export import export
from trainer.facts import read_card
from trainer.ship import ship
from trainer.state import State
from trainer.whence import as_text, whence


@pytest.fixture(scope="module")
def sound(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sound")
    export(run, out, printed, 16)
    return ship(out, out / "shipped", [printed], 16, [])[0]


@pytest.fixture
def shipped(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "nano-fp32"))


def wrong(shipped: Path, *sets: DataSet, file: str = "reader.onnx") -> list[str]:
    return whence(shipped / file, list(sets)).wrong


def test_all_is_told_of_a_reader_that_is_whole(sound: Path, run: Path, printed: DataSet) -> None:
    for file in ("reader.onnx", "logits.onnx", "checker.onnx"):
        lineage = whence(sound / file, [printed])
        assert (lineage.missing, lineage.wrong) == (
            [f"recipe: {file} does not say", f"digits: {file} does not say"],
            [],
        )
        told = dict(lineage.told)
        assert told["operators"] == "ai.onnx 18"
        assert told["fingerprint"] == printed.manifest.fingerprint
        assert told["its weights"] == weights_sha256(run) == weights_sha256(sound)
        assert told["trained by"] == "trainer train printed --model nano"
        assert told["checkpoint"].startswith("0 updates in 0 minutes")
        assert told["tools"].startswith("digit-readers 0.")
        assert f"torch {torch.__version__}" in told["tools"]
        assert told["on printed"].endswith("n = 16")
        assert told["trained on"] == f"{printed.folder}, printed 1.0.0, seed 0"


def test_a_shipped_card_names_its_digits(shipped: Path) -> None:
    facts = {"digits": "mnist (CC BY-SA 3.0)", "recipe": "child", "fingerprint": "0" * 64}
    model = onnx.load(shipped / "reader.onnx")
    helper.set_model_props(model, read_card(shipped / "reader.onnx") | facts)
    onnx.save(model, shipped / "reader.onnx")
    told = dict(whence(shipped / "reader.onnx", []).told)
    assert (told["digits"], told["recipe"]) == (facts["digits"], "child")


def test_facts_of_another_reader(shipped: Path) -> None:
    facts = json.loads((shipped / "reader.json").read_text())
    (shipped / "reader.json").write_text(json.dumps(facts | {"accuracy": "1.0000"}))
    assert wrong(shipped) == [
        f"reader.json says accuracy '1.0000', reader.onnx '{facts['accuracy']}'"
    ]


def test_figures_of_another_reader(shipped: Path) -> None:
    figures = json.loads((shipped / "evaluation.json").read_text())
    (shipped / "evaluation.json").write_text(json.dumps(figures | {"sha256": "ab" * 32}))
    for file in ("reader.onnx", "checker.onnx"):
        found = wrong(shipped, file=file)
        assert len(found) == 1
        assert "evaluation.json is of a reader of " in found[0]
        assert "SHA-256 abababababababab; reader.onnx has " in found[0]
    old = {key: value for key, value in figures.items() if key != "sha256"}
    (shipped / "evaluation.json").write_text(json.dumps(old))
    lineage = whence(shipped / "reader.onnx", [])
    assert "evaluation.json does not say of which file its figures are" in lineage.missing
    assert not lineage.wrong
    (shipped / "evaluation.json").write_text(json.dumps(old | {"bytes": 7}))
    assert "is of a reader of 7 bytes, SHA-256 unknown" in wrong(shipped)[0]


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_damaged_files_beside_it(shipped: Path, text: bytes) -> None:
    for name in ("evaluation.json", "reader.json"):
        (shipped / name).write_bytes(text)
    assert wrong(shipped) == [
        "evaluation.json is damaged: it is no JSON object",
        "reader.json is damaged: it is no JSON object",
    ]


@pytest.mark.parametrize("tests", [[], {"a": 3}, {"a": {"exact": {"share": "1"}}}])
def test_strange_figures_are_not_told(shipped: Path, tests: object) -> None:
    figures = json.loads((shipped / "evaluation.json").read_text())
    (shipped / "evaluation.json").write_text(json.dumps(figures | {"tests": tests}))
    assert not [name for name, _ in whence(shipped / "reader.onnx", []).told if name == "on a"]


def test_weights_and_files_of_another_reader(shipped: Path, printed: DataSet) -> None:
    state = State(Config("nano", seed=5), torch.device("cpu"))
    state.save(shipped / BEST, printed.manifest)
    save_weights(shipped / BEST, shipped / "weights.safetensors")
    other = weights_sha256(shipped / BEST)
    own = read_card(shipped / "reader.onnx")["weights_sha256"]
    assert wrong(shipped) == [
        f"weights.safetensors has the weights {other[:16]}, reader.onnx {own[:16]}"
    ]
    (shipped / "weights.safetensors").unlink()
    model = onnx.load(shipped / "checker.onnx")
    helper.set_model_props(model, read_card(shipped / "reader.onnx") | {"weights_sha256": other})
    onnx.save(model, shipped / "checker.onnx")
    assert wrong(shipped) == [
        f"checker.onnx beside it is of another reader: weights_sha256 {other!r}, not {own!r}"
    ]


def test_another_data_set_and_an_edited_one(
    shipped: Path, printed: DataSet, tmp_path: Path
) -> None:
    folder = write_data_set(tmp_path / "other", {"test": 2, "val": 2, "train": 2}, "other")
    other = DataSet(folder)
    found = wrong(shipped, other)
    assert found == [
        f"{folder} is other 1.0.0 with the fingerprint {other.manifest.fingerprint[:16]}, but the "
        f"reader was trained on printed 1.0.0 with {printed.manifest.fingerprint[:16]}"
    ]
    figures = json.loads((shipped / "evaluation.json").read_text())
    figures["fingerprints"] = {"other": other.manifest.fingerprint}
    (shipped / "evaluation.json").write_text(json.dumps(figures))
    lineage = whence(shipped / "reader.onnx", [other])
    assert ("tested on", f"{folder}, other 1.0.0, as evaluation.json says") in lineage.told
    assert not lineage.wrong
    text = (folder / MANIFEST).read_text().replace('"seed": 0', '"seed": 1')
    (folder / MANIFEST).write_text(text)
    assert wrong(shipped, DataSet(folder)) == [
        f"{folder} has a manifest that was edited: see shards verify"
    ]


def test_a_file_that_says_nothing_of_itself(shipped: Path, tmp_path: Path) -> None:
    model = onnx.load(shipped / "reader.onnx")
    model.ClearField("metadata_props")
    alone = tmp_path / "alone"
    alone.mkdir()
    onnx.save(model, alone / "reader.onnx")
    lineage = whence(alone / "reader.onnx", [])
    assert not lineage.wrong
    assert [name for name, _ in lineage.told] == ["file", "operators"]
    assert "model: reader.onnx does not say" in lineage.missing
    assert "evaluation.json: there is none beside the file" in lineage.missing
    assert "checkpoint: there is no weights.safetensors beside reader.onnx" in lineage.missing
    (alone / "reader.onnx").write_text("no model")
    with pytest.raises(UserError, match=r"reader.onnx is no ONNX file"):
        whence(alone / "reader.onnx", [])


def test_a_checker_that_was_made_later(shipped: Path, printed: DataSet) -> None:
    """It tells its thresholds to the card, which then knows more than the reader."""
    file = onnx.load(shipped / "reader.onnx")
    told = {p.key: p.value for p in file.metadata_props if not p.key.startswith("check_")}
    without = {name: value for name, value in told.items() if name != "check"}
    for name in ("reader.onnx", "logits.onnx"):
        model = onnx.load(shipped / name)
        del model.metadata_props[:]
        helper.set_model_props(model, without)
        onnx.save(model, shipped / name)
    (shipped / "reader.json").write_text(json.dumps(without))
    (shipped / "checker.onnx").unlink()
    add_checkers(shipped, printed, 16)
    assert "check_right_from" in json.loads((shipped / "reader.json").read_text())
    for name in ("reader.onnx", "logits.onnx", "checker.onnx"):
        assert [line for line in wrong(shipped, file=name) if "reader.json" in line] == []


def test_the_command(shipped: Path, printed: DataSet) -> None:
    def said(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["whence", *map(str, arguments)])
        return done.exit_code, done.output

    code, text = said(shipped / "reader.onnx", "--data", printed.folder)
    assert code == 0
    assert f"fingerprint     {printed.manifest.fingerprint}\n" in text
    model = onnx.load(shipped / "reader.onnx")
    helper.set_model_props(model, {"model": "nano\x1b[2J\nmissing  nothing", "trained": "x" * 900})
    onnx.save(model, shipped / "reader.onnx")
    code, text = said(shipped / "reader.onnx")
    assert code == 1
    assert "DOES NOT MATCH" in text
    assert "nano?[2J?missing  nothing" in text
    assert max(map(len, text.splitlines())) < 700
    assert as_text(whence(shipped / "reader.onnx", [])) == text.removesuffix("\n")
