"""The table of models and the picture of it: whose row is whose."""

import shutil
from dataclasses import replace
from pathlib import Path

from shards.reader import DataSet
from trainer.checkpoint import find_weights, weights_sha256
from trainer.compare import as_markdown, compare
from trainer.facts import read_card
from trainer.files import INT8_LOGITS, LOGITS
from trainer.plot import lines


def test_compare_makes_anew_what_is_of_other_weights(
    run: Path, printed: DataSet, tmp_path: Path
) -> None:
    folders = [shutil.copytree(run, tmp_path / name) for name in ("a", "b")]
    before = compare(folders, printed, 40)
    assert [row.name for row in before] == [f"nano ({folder})" for folder in folders]
    assert before[0].readers["fp32"].evaluation == before[1].readers["fp32"].evaluation
    shutil.copy(find_weights(Path("nano")), folders[1] / "best.safetensors")
    drawn = (folders[0] / "onnx" / LOGITS).stat().st_mtime_ns
    after = compare(folders, printed, 40)
    assert (folders[0] / "onnx" / LOGITS).stat().st_mtime_ns == drawn
    for precision, name in (("fp32", LOGITS), ("int8", INT8_LOGITS)):
        a, b = (row.readers[precision].evaluation.exact.share for row in after)
        assert a != b
        assert read_card(folders[1] / "onnx" / name)["weights_sha256"] == weights_sha256(folders[1])
    assert as_markdown(after, "printed").count(f"| nano ({folders[1]}) |") == 7


def test_readers_that_ship_apart_are_one_line_and_two_of_a_kind_are_not(
    run: Path, printed: DataSet, tmp_path: Path
) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    (row,) = compare([folder], printed, 20)
    assert row.name == "nano"
    apart = [replace(row, readers={name: reader}) for name, reader in row.readers.items()]
    assert lines(apart) == [("nano", row.readers)]
    twice = [replace(row, name=name) for name in ("nano (a)", "nano (b)")]
    assert lines(twice) == [("nano (a)", row.readers), ("nano (b)", row.readers)]
