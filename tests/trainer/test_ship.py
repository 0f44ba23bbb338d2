"""Readers to give away: their folders, figures and cards."""

import json
import shutil
from pathlib import Path

import pytest

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import BEST, find_weights, read_header
from trainer.export import export
from trainer.facts import read_card
from trainer.quantize import quantize
from trainer.ship import read_commands, ship

VERDICTS = ("right", "ask_again", "wrong")


@pytest.fixture(scope="module")
def exported(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export(run, folder, printed)
    quantize(folder, printed, max_drop=1)
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder = tmp_path_factory.mktemp("data") / "other"
    return DataSet(write_data_set(folder, {"test": 20, "val": 2, "train": 2}, "other"))


@pytest.fixture(scope="module")
def shipped(exported: Path, printed: DataSet, other: DataSet) -> Path:
    out = exported.parent / "shipped"
    folders = ship(exported, out, [printed, other], 50, ["generator build x", "trainer train x"])
    assert folders == [out / "nano-fp32", out / "nano-int8"]
    return out


def test_each_folder_has_a_reader_and_what_is_known_of_it(exported: Path, shipped: Path) -> None:
    stems = ("reader", "logits", "checker")
    names = {f"{stem}.onnx" for stem in stems} | {"reader.json", "evaluation.json", "README.md"}
    assert {path.name for path in (shipped / "nano-int8").iterdir()} == names
    assert {path.name for path in (shipped / "nano-fp32").iterdir()} == {
        *names,
        "weights.safetensors",
    }
    for folder, mark in (("nano-fp32", ""), ("nano-int8", ".int8")):
        for stem in stems:
            kept = (shipped / folder / f"{stem}.onnx").read_bytes()
            assert kept == (exported / f"{stem}{mark}.onnx").read_bytes()
        facts = json.loads((shipped / folder / "reader.json").read_text())
        assert facts == read_card(shipped / folder / "reader.onnx")


def test_readers_of_different_weights_are_not_one(
    run: Path, exported: Path, printed: DataSet, tmp_path: Path
) -> None:
    folder = shutil.copytree(exported, tmp_path / "onnx")
    weights = find_weights(Path("nano"))
    export(weights, tmp_path / "other", printed)
    for name in ("logits.onnx", "reader.onnx", "reader.json"):
        shutil.copy(tmp_path / "other" / name, folder)
    with pytest.raises(UserError, match="are of different weights; quantize it again"):
        ship(folder, tmp_path / "out", [printed], 50, [])
    assert not (tmp_path / "out").exists()
    export(weights, folder, printed)
    assert not list(folder.glob("*.int8.*"))


def test_figures_are_of_every_test_set(shipped: Path, run: Path) -> None:
    for folder in ("nano-fp32", "nano-int8"):
        figures = json.loads((shipped / folder / "evaluation.json").read_text())
        assert figures["bytes"] == (shipped / folder / "reader.onnx").stat().st_size
        assert figures["milliseconds"] > 0
        counts = {name: test["exact"]["count"] for name, test in figures["tests"].items()}
        assert counts == {"printed": 50, "other": 20}


def test_the_card_says_where_the_reader_comes_from(shipped: Path, run: Path) -> None:
    text = (shipped / "nano-int8" / "README.md").read_text()
    header = read_header(run / BEST)
    assert text.startswith("# nano-int8\n")
    assert header.fingerprint in text
    assert "printed 1.0.0, 64 test, 64 val, 256 train" in text
    assert "## Recipe" in text
    assert "```sh\ngenerator build x\ntrainer train x\n```" in text
    assert "| nano | 121,510 | activations uint8, weights int8 per channel |" in text
    exact = json.loads((shipped / "nano-int8" / "evaluation.json").read_text())["tests"]["other"]
    low, high = exact["exact"]["low"], exact["exact"]["high"]
    assert (
        f"| other | 1 to 5 | 20 | {exact['exact']['share']:.4f} [{low:.4f}, {high:.4f}] |" in text
    )
    assert f"| other | 20 | {exact['calibration']['error']:.4f} | 19 |" in text


def test_the_card_tells_what_the_checker_decides(shipped: Path, printed: DataSet) -> None:
    folder = shipped / "nano-int8"
    answers = json.loads((folder / "evaluation.json").read_text())["answers"]
    assert list(answers) == ["printed", "other"]
    assert answers["printed"]["right"]["right"]["count"] == 50
    shares = [answers["other"]["wrong"][verdict]["share"] for verdict in VERDICTS]
    assert sum(shares) == pytest.approx(1)
    text = (folder / "README.md").read_text()
    facts = read_card(folder / "checker.onnx")
    assert f"from a probability of {facts['check_right_from']} on" in text
    assert "| other | right | 20 | " in text
    assert text.index("## Figures") < text.index("## Answers") < text.index("## Training")


def test_an_unknown_training_set_is_not_invented(
    exported: Path, other: DataSet, tmp_path: Path
) -> None:
    for name in ("reader.onnx", "logits.onnx", "reader.json"):
        shutil.copy(exported / name, tmp_path)
    assert ship(tmp_path, tmp_path / "out", [other], 5, []) == [tmp_path / "out" / "nano-fp32"]
    text = (tmp_path / "out" / "nano-fp32" / "README.md").read_text()
    assert "## Recipe" not in text
    assert "## Answers" not in text  # there was no checker
    assert "```sh\ntrainer train printed --model nano\n```" in text
    assert not (tmp_path / "out" / "nano-fp32" / "weights.safetensors").exists()


def test_8_bit_files_are_not_taken_for_float(shipped: Path, printed: DataSet, tmp_path) -> None:
    folder = shutil.copytree(shipped / "nano-int8", tmp_path / "mine")
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(UserError, match="mine holds 8-bit readers already; name the folder that"):
        ship(folder, tmp_path / "out", [printed], 5, [])
    with pytest.raises(UserError, match="mine holds 8-bit readers already; name the folder that"):
        quantize(folder, printed)
    assert not (tmp_path / "out").exists()
    assert {path.name for path in folder.iterdir()} == before


def test_what_cannot_be_shipped_is_refused(
    exported: Path, printed: DataSet, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="has no reader.onnx; make it with trainer export"):
        ship(tmp_path, tmp_path / "out", [printed], 5, [])
    for tests in ([], [printed, printed]):
        with pytest.raises(UserError, match="measured on test sets of different names"):
            ship(exported, tmp_path / "out", tests, 5, [])
    assert not (tmp_path / "out").exists()


def test_a_shipped_folder_is_not_written_over_itself(
    shipped: Path, printed: DataSet, tmp_path: Path
) -> None:
    mine = Path(shutil.copytree(shipped / "nano-fp32", tmp_path / "nano-fp32"))
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    with pytest.raises(UserError, match="would be written into itself; name another folder than"):
        ship(mine, tmp_path, [printed], 5, [])
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before
    assert ship(mine, tmp_path / "again", [printed], 5, []) == [tmp_path / "again" / "nano-fp32"]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("{", "reader.json is not JSON"),
        ("[]", "reader.json is not an object"),
        ('{"model": "nano", "parameters": "1"}', "reader.json lacks the field 'polarity'"),
        ('{"model": 1}', "reader.json\\['model'\\] is not a string"),
        (None, "reader.json is of a model '../../evil' that is not known here"),
    ],
)
def test_facts_of_strangers_lead_nowhere(
    exported: Path, printed: DataSet, tmp_path: Path, facts: str | None, message: str
) -> None:
    """The model names the folder that is written: it must be one of ours."""
    mine = shutil.copytree(exported, tmp_path / "a" / "b" / "mine")
    evil = json.loads((mine / "reader.json").read_text()) | {"model": "../../evil"}
    (mine / "reader.json").write_text(json.dumps(evil) if facts is None else facts)
    with pytest.raises(UserError, match=message):
        ship(mine, mine.parent / "out", [printed], 10, [])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]


def test_commands_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "commands").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="commands is not UTF-8 text"):
        read_commands(tmp_path / "commands")
