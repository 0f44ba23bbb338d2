"""A run as one HTML file."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.export import export
from trainer.log import LOG
from trainer.metrics import evaluate
from trainer.predict import open_reader, read_split
from trainer.report import read_report, write_report
from trainer.run_page import as_html

RECORDS = [
    {"step": 50, "loss": 2.5, "rate": 1e-3},
    {"step": 60, "epoch_loss": 2.5, "val_loss": 2.6, "accuracy": 0.25},
]


@pytest.fixture(scope="module")
def whole(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its log, an evaluation and a reader."""
    folder = tmp_path_factory.mktemp("whole") / "numbers & <letters>"
    shutil.copytree(run, folder)
    (folder / LOG).write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    read, truth = read_split(open_reader(run, torch.device("cpu")), printed, "test", 64)
    result = evaluate(read, truth)
    write_report(folder / "evaluation-printed-test", result, read, truth, printed, "test")
    export(folder, folder / "onnx", printed)
    return folder


def test_a_page_has_all_that_is_known_of_a_run(whole: Path, printed: DataSet) -> None:
    page = as_html(whole, printed)
    assert "<h1>Run numbers &amp; &lt;letters&gt;</h1>" in page
    for text in ("Data: printed 1.0.0", "Evaluation: printed, test", "reader.onnx"):
        assert text in page
    _, _, result = read_report(whole / "evaluation-printed-test")
    for rate in (result.exact, *result.by_length.values()):
        assert f"{rate.low:.4f} to {rate.high:.4f}" in page
    # curves, the data, and of the evaluation confusions, reliability and errors
    assert page.count('src="data:image/png;base64,') == page.count("<img ") == 5


def test_nothing_is_loaded_from_elsewhere(whole: Path) -> None:
    page = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", as_html(whole))
    assert not re.search(r"https?:|//|url\(|@import|<script|<link", page)


def test_what_is_no_run_is_refused(
    whole: Path, run: Path, printed: DataSet, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"is no run, which has best.safetensors and log.jsonl"):
        as_html(run)  # weights alone
    with pytest.raises(UserError, match="is no run"):
        as_html(printed.folder)
    other = DataSet(write_data_set(tmp_path / "other", {"test": 2, "val": 2, "train": 2}, "other"))
    with pytest.raises(UserError, match=r"trained on printed 1\.0\.0, other data than"):
        as_html(whole, other)
    with pytest.raises(UserError, match=r"nowhere has no reader\.onnx; name a folder that trainer"):
        as_html(whole, exported=tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"exact": 3}', "[" * 100_000])
def test_a_damaged_evaluation_is_named(whole: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / "evaluation-printed-test" / "evaluation.json").write_text(text)
    with pytest.raises(UserError, match=r"evaluation\.json is damaged"):
        as_html(tmp_path / "run")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"step": 9, "val', r"is no JSON .*: remove that line"),
        ('{"step": 9, "accuracy": 1}', "lacks the field 'val_loss'"),
        ('{"loss": 1}', "lacks the field 'step'"),
        ('{"step": 9, "loss": "low"}', "has 'low' as 'loss', which is no number"),
        ("[9]", "is not an object"),
    ],
)
def test_a_damaged_line_of_the_log_is_named(
    whole: Path, tmp_path: Path, line: str, fault: str
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    log = tmp_path / "run" / "log.jsonl"
    number = len(log.read_text().splitlines()) + 1
    log.write_text(log.read_text() + line)
    with pytest.raises(UserError, match=rf"line {number} of {log} {fault}"):
        as_html(tmp_path / "run")


def test_a_report_comes_back_as_it_was(whole: Path, run: Path, printed: DataSet) -> None:
    read, truth = read_split(open_reader(run, torch.device("cpu")), printed, "test", 64)
    found = read_report(whole / "evaluation-printed-test")
    assert found == ("printed", "test", evaluate(read, truth))
