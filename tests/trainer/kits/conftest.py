"""A reader with a checker beside it, and drawings to read."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from scripts.golden import ink, write
from trainer.kit import find_model

# Of a reading and an expected answer, what a checker says: verdict, probability of the answer, of
# the reading, and its value.
_CHECK = """
<ir_version: 10, opset_import: ["": 18]>
check (float[1, 13] reading, float[1, 5] expected) => (float[1, 4] answer)
<
  int64[1] at_0 = {0}, int64[1] at_1 = {1}, int64[1] at_2 = {2}, int64[1] at_3 = {3},
  int64[1] at_8 = {8}, float[1, 1] unity = {1}
>
{
  number = Slice (reading, at_0, at_1, at_1)
  shown = Slice (reading, at_3, at_8, at_1)
  sure = Slice (reading, at_1, at_2, at_1)
  alike = Equal (shown, expected)
  same = Cast <to = 1> (alike)
  whole = ReduceMin (same, at_1)
  twice = Add (whole, whole)
  verdict = Sub (twice, unity)
  probability = Mul (whole, sure)
  answer = Concat <axis = 1> (verdict, probability, sure, number)
}
"""


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nano in 8 bits, and a checker with the inputs and outputs of one that compares digits."""
    folder = tmp_path_factory.mktemp("model") / "nano"
    shutil.copytree(find_model("nano"), folder)
    reader = onnx.load(folder / "reader.onnx")
    check = onnx.parser.parse_model(_CHECK)
    del reader.opset_import[1:]
    both = onnx.compose.merge_models(reader, check, [("reading", "reading")])
    onnx.save(both, folder / "checker.onnx")
    return folder


@pytest.fixture(scope="session")
def drawing() -> np.ndarray:
    """407 by a model hand, dark on light, uint8 (150, 340)."""
    return 255 - ink(write("407", 120, 1), 12, 340, 150)
