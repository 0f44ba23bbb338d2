import json
import sys
from pathlib import Path

import pytest
import torch

from shards.labels import to_labels
from shards.reader import DataSet
from tests.benchmarks.gpu import __main__ as command
from tests.benchmarks.gpu.machine import step_flops
from tests.benchmarks.gpu.plain import ByTarfile, by_webdataset
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import SCALES
from tests.benchmarks.gpu.stage import STAGES
from tests.benchmarks.table import Row
from tests.trainer.conftest import write_data_set

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    splits = {"test": 8, "val": 8, "train": 64}
    return DataSet(write_data_set(tmp_path_factory.mktemp("data") / "set", splits))


@pytest.mark.parametrize("stage", [name for name in command.SECONDS if name != "compile"])
def test_each_stage_measures(stage: str, data: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    STAGES[stage](Report(path), data, SCALES["tiny"], CPU)
    found = Report.read(path)
    assert found.rows or found.texts
    assert all(row.ours >= 0 for row in found.rows)


def test_every_stage_has_its_time() -> None:
    assert command.SECONDS.keys() == STAGES.keys()


@pytest.mark.parametrize("source", [by_webdataset, ByTarfile])
def test_the_plain_loop_sees_each_sample_once(source, data: DataSet) -> None:
    shards = data.shards("train")
    batches = list(source([shard.path for shard in shards], 8))
    seen = {}
    for images, labels in batches:
        assert images.shape == (8, 1, 32, 128)
        seen |= {
            (image.mul(255).round().byte().numpy().tobytes()): label
            for image, label in zip(images, labels, strict=True)
        }
    wanted = {
        image.tobytes(): label
        for shard in shards
        for image, label in zip(shard.images, to_labels(shard.digits), strict=True)
    }
    assert seen == wanted


def test_a_step_of_optimized_is_three_times_237_million_multiply_adds() -> None:
    assert step_flops("optimized") == pytest.approx(3 * 2 * 237e6, rel=0.01)


class Runner(command._Runner):
    """Runs what it is given, in a folder."""

    def __init__(self, folder: Path, minutes: float) -> None:
        super().__init__(folder, folder, (folder / "log.txt").open("w"), minutes, "a device")


def test_what_a_stage_found_stays_when_it_fails_or_is_stopped(tmp_path: Path) -> None:
    runner = Runner(tmp_path, minutes=1)
    Report(tmp_path / "kept.json").add(Row("found", "images/s", 2, 1, "peer", "1"))
    runner._reports["kept"] = tmp_path / "kept.json"
    assert runner._run("good", [sys.executable, "-c", ""], 30)
    assert not runner._run("bad", [sys.executable, "-c", "print('why'); exit(3)"], 30)
    assert not runner._run("slow", [sys.executable, "-c", "import time; time.sleep(60)"], 0.1)
    result = json.loads((tmp_path / "gpu.json").read_text())
    assert result["stages"]["bad"].startswith("failed with status 3")
    assert result["stages"]["bad"].endswith("why")
    assert result["stages"]["slow"].startswith("stopped after")
    assert [row["ratio"] for row in result["rows"]] == [2]
    assert "| found | 2 images/s |" in (tmp_path / "gpu.md").read_text()
