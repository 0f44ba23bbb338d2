import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from shards.errors import UserError
from shards.reader import DataSet
from trainer.checkpoint import BEST
from trainer.compare import as_markdown, compare
from trainer.config import Config
from trainer.export import export
from trainer.facts import read_card
from trainer.plot import draw_sizes
from trainer.predict import open_reader, read_split
from trainer.quantize import quantize
from trainer.runtime import open_session
from trainer.runtime import run as run_onnx
from trainer.ship import ship
from trainer.state import State


@pytest.fixture(scope="module")
def small(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    export(run, folder, printed)
    report = quantize(folder, printed, max_drop=1)
    assert report.before.exact.count == report.after.exact.count == 64
    assert report.bytes_after == (folder / "logits.int8.onnx").stat().st_size - card_bytes(folder)
    return folder


def card_bytes(folder: Path) -> int:
    model = onnx.load(folder / "logits.int8.onnx")
    with_card = model.ByteSize()
    model.ClearField("metadata_props")
    return with_card - model.ByteSize()


def test_nano_with_its_decoder_is_under_160_kilobytes(small: Path) -> None:
    assert (small / "reader.int8.onnx").stat().st_size < 160_000


def test_nano_needs_standard_operators_only(small: Path) -> None:
    for name in ("reader.int8.onnx", "logits.int8.onnx"):
        model = onnx.load(small / name)
        assert {entry.domain for entry in model.opset_import} == {""}
        kinds = {node.op_type for node in model.graph.node}
        assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= kinds
        assert "ConvInteger" not in kinds


@pytest.mark.parametrize(("model", "in_float"), [("nano", 1), ("lightweight", 0)])
def test_a_convolution_that_looks_at_the_image_in_steps_computes_in_float32(
    model: str, in_float: int, printed: DataSet, tmp_path: Path
) -> None:
    State(Config(model), torch.device("cpu")).save(tmp_path / BEST, printed.manifest)
    export(tmp_path, tmp_path, printed, images=16)
    quantize(tmp_path, printed, max_drop=1, images=16)
    graph = onnx.load(tmp_path / "logits.int8.onnx").graph
    stored = {tensor.name for tensor in graph.initializer}
    convs = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convs) > 4
    assert [node.input[1] in stored for node in convs] == [True] * in_float + [False] * (
        len(convs) - in_float
    )


def test_no_matrix_is_stored_in_32_bits(small: Path) -> None:
    for name in ("reader.int8.onnx", "logits.int8.onnx"):
        model = onnx.load(small / name)
        large = {t.data_type for t in model.graph.initializer if np.prod(t.dims) > 1_000}
        assert large == {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT8}


def together_and_alone(folder: Path, data: DataSet, count: int) -> list[np.ndarray]:
    images, _ = data.gather("test", np.arange(count))
    session = open_session(folder / "logits.int8.onnx")
    alone = np.concatenate([run_onnx(session, image[None]) for image in images])
    return [run_onnx(session, images), alone]


def test_answers_do_not_depend_on_what_else_is_in_the_batch(small: Path, printed: DataSet) -> None:
    together, alone = together_and_alone(small, printed, 64)
    assert np.array_equal(together, alone)


def test_nor_do_those_of_a_quantized_lstm(printed: DataSet, tmp_path: Path) -> None:
    state = State(Config("lightweight"), torch.device("cpu"))
    with torch.no_grad():
        state.average.sequence[1].linear.weight.mul_(100)
    state.save(tmp_path / BEST, printed.manifest)
    export(tmp_path, tmp_path, printed, images=16)
    quantize(tmp_path, printed, max_drop=1, images=16)
    together, alone = together_and_alone(tmp_path, printed, 32)
    shown = together[together > -500]
    assert shown.std() > 0.1
    np.testing.assert_allclose(together, alone, atol=0.005 * shown.std())
    kinds = [
        {node.op_type for node in onnx.load(tmp_path / name).graph.node}
        for name in ("logits.int8.onnx", "reader.int8.onnx")
    ]
    assert read_card(tmp_path / "reader.int8.onnx")["opset"] == "ai.onnx 18, com.microsoft 1"
    assert "LSTM" in kinds[0]
    assert "DynamicQuantizeLSTM" in kinds[1]
    assert not any("ConvInteger" in kind for kind in kinds)
    assert (tmp_path / "logits.int8.onnx").stat().st_size < 2_200_000


def test_the_reader_decodes_the_quantized_logits(small: Path, printed: DataSet) -> None:
    cpu = torch.device("cpu")
    whole, part = (
        read_split(open_reader(small / name, cpu), printed, "test", 64)[0]
        for name in ("reader.int8.onnx", "logits.int8.onnx")
    )
    assert np.array_equal(whole.digits, part.digits)
    assert np.array_equal(whole.count, part.count)


def test_masked_digits_stay_impossible(small: Path) -> None:
    logits = run_onnx(open_session(small / "logits.int8.onnx"), np.zeros((1, 32, 128), np.uint8))
    assert (logits[..., 1:] < -900).all()


def test_a_drop_over_the_limit_leaves_the_float_files_alone(
    small: Path, printed: DataSet, tmp_path: Path
) -> None:
    for name in ("logits.onnx", "reader.onnx"):
        shutil.copy(small / name, tmp_path)
    with pytest.raises(UserError, match=r"lowers accuracy from .* nothing was written"):
        quantize(tmp_path, printed, max_drop=-1)
    assert {path.name for path in tmp_path.iterdir()} == {"logits.onnx", "reader.onnx"}


def test_a_reader_to_give_away_is_measured_as_it_is(
    small: Path, printed: DataSet, tmp_path: Path
) -> None:
    (shipped,) = [f for f in ship(small, tmp_path, [printed], 64, []) if f.name == "nano-int8"]
    before = {path.name for path in shipped.iterdir()}
    (row,) = compare([shipped], printed)
    (whole,) = compare([small], printed)
    assert list(row.readers) == ["int8"]
    assert row.readers["int8"].evaluation == whole.readers["int8"].evaluation
    assert {path.name for path in shipped.iterdir()} == before
    table = as_markdown([row], "printed").splitlines()
    assert table[2].startswith("| nano | 121,510 | - | 0.14 | - | 0.")
    draw_sizes([row, whole], "printed", tmp_path / "sizes.png")
    pixels = np.asarray(Image.open(tmp_path / "sizes.png").convert("RGB")).reshape(-1, 3)
    for color in ((31, 119, 180), (127, 127, 127)):  # ours and theirs
        assert (pixels == color).all(axis=1).any()


def test_the_table_has_a_row_for_each_model(small: Path, printed: DataSet) -> None:
    rows = compare([small], printed)
    table = as_markdown(rows, "printed").splitlines()
    assert table[0].startswith("| model | parameters |")
    assert table[2].startswith("| nano | 121,510 | 0.48 | 0.14 |")
    assert table[6].startswith("| model | exact | n |")
    assert table[8].startswith("| nano | numbers | 64 | 0.")
    assert [line.split(" | ")[1] for line in table[9:]] == [f"of length {n}" for n in range(1, 6)]
    names = ("logits.onnx", "logits.int8.onnx")
    sizes = {name: reader.bytes for name, reader in rows[0].readers.items()}
    files = zip(("fp32", "int8"), names, strict=True)
    assert sizes == {name: (small / file).stat().st_size for name, file in files}
