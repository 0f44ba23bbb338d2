"""The readers that ship decode as Python does; `parity` shows it on more."""

from pathlib import Path

import onnx
import pytest

from shards.reader import DataSet
from tests.benchmarks.parity import contract, differing
from tests.benchmarks.providers import coverage
from tests.trainer.conftest import write_data_set
from trainer.shipped import FOLDER as PRETRAINED

SHIPPED = sorted(path for path in PRETRAINED.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder = tmp_path_factory.mktemp("data") / "printed"
    return DataSet(write_data_set(folder, {"test": 100, "val": 2, "train": 2}))


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_graph_decodes_its_own_logits_as_python_does(folder: Path, data: DataSet) -> None:
    count, others, apart = differing(onnx.load(folder / "reader.onnx"), data, 1_000)
    assert (count, others) == (100, 0)
    assert apart < 1e-5


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_contract(folder: Path) -> None:
    model = onnx.load(folder / "reader.onnx")
    tensors, opsets, operators = contract(model)
    assert tensors.split(maxsplit=1)[1] == "image float32 [1, 1, 32, 128]; reading float32 [1, 13]"
    of_runtime = [word for word in operators.split() if word.startswith("com.microsoft")]
    recurrent = folder.name in ("base-int8", "optimized-int8", "lightweight-int8")
    assert {word.rstrip(",") for word in of_runtime} == (
        {"com.microsoft.DynamicQuantizeLSTM"} if recurrent else set()
    )
    wanted = "ai.onnx 18, com.microsoft 1" if recurrent else "ai.onnx 18"
    assert opsets.split(maxsplit=1)[1] == wanted


def test_what_phones_take_of_a_reader() -> None:
    lines = coverage([PRETRAINED / "nano-fp32" / "logits.onnx"]).splitlines()[2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[1] for row in cells] == [
        "NNAPI",
        "CoreML, neural network",
        "CoreML, ML program",
        "XNNPACK",
    ]
    for _, name, taken, parts, missing in cells[:3]:
        some, every = map(int, taken.split(" of "))
        largest = int(parts.split(",")[0])
        assert 0.8 * every < largest <= some < every, name
        assert "Expand" in missing
