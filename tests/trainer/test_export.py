import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.bare import bare_network, image_of, logits_of
from trainer.checkpoint import BEST, load_reader, read_header
from trainer.config import Config
from trainer.ctc import greedy_decode
from trainer.data import to_input
from trainer.export import check, describe, export, to_onnx, training_command
from trainer.graph import with_decoder, write_model
from trainer.models import build_model
from trainer.predict import from_readings, open_reader, read_split
from trainer.runtime import open_session
from trainer.runtime import run as run_onnx

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def exported(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    export(run, folder, printed)
    return folder


def bare_decoder(steps: int) -> onnxruntime.InferenceSession:
    """The decoder alone, behind pixels that are logits."""
    return onnxruntime.InferenceSession(with_decoder(bare_network(steps)).SerializeToString())


@pytest.mark.parametrize("steps", [32, 33, 64])
def test_the_graph_decodes_as_python_does(steps: int) -> None:
    session, random = bare_decoder(steps), np.random.default_rng(steps)
    counts = set()
    for _ in range(400):
        logits = 3 * random.normal(size=(1, steps, 11)).astype(np.float32)
        logits[..., 0] += random.uniform(0, 15)
        image = image_of(logits)
        logits = logits_of(image, steps)
        reading = session.run(None, {"image": image})[0]
        assert reading.shape == (1, 13)
        wanted, found = greedy_decode(logits), from_readings(reading)
        assert np.array_equal(found.digits, wanted.digits)
        assert found.count == wanted.count
        np.testing.assert_allclose(found.digit_confidences, wanted.digit_confidences, rtol=1e-5)
        np.testing.assert_allclose(found.confidence, wanted.confidence, rtol=1e-5)
        count = int(wanted.count[0])
        text = "".join(str(digit) for digit in wanted.digits[0] if digit >= 0)
        assert reading[0, 0] == (int(text) if 1 <= count <= 5 else -1)
        counts.add(count)
    assert counts >= {0, 1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("pixel", [np.nan, np.inf, -np.inf, 255, 1.02, -0.02])
def test_an_image_that_is_none_has_no_digits(pixel: float) -> None:
    """An 8-bit network would take NaN for some shade of grey."""
    session = bare_decoder(64)
    logits = np.zeros((64, 11), np.float32)
    logits[10, 5] = 20
    image = image_of(logits)
    assert session.run(None, {"image": image})[0][0, [0, 2, 3]].tolist() == [4, 1, 4]
    image[0, 0, 31, 127] = pixel
    nothing = [-1, 0, 0, *[-1] * 5, *[0] * 5]
    assert session.run(None, {"image": image})[0][0].tolist() == nothing
    image[0, 0, 31, 127] = 1.001  # of rounding
    assert session.run(None, {"image": image})[0][0, 0] == 4


def test_the_files_read_what_the_checkpoint_reads(
    run: Path, exported: Path, printed: DataSet
) -> None:
    read = [
        read_split(open_reader(path, CPU), printed, "test", 64)[0]
        for path in (run, exported / "logits.onnx", exported / "reader.onnx")
    ]
    assert read[0].count.max() > 5
    for other in read[1:]:
        assert np.array_equal(other.digits, read[0].digits)
        assert np.array_equal(other.count, read[0].count)
        same = read[1].confidence  # calibrated, as that of the run is not
        np.testing.assert_allclose(other.confidence, same, rtol=1e-3)


def test_an_exported_folder_is_read_by_its_reader(exported: Path, printed: DataSet) -> None:
    """Not by the weights beside it: in a folder of 8-bit files these are others."""
    by_folder, by_file = (
        read_split(open_reader(path, CPU), printed, "test", 64)[0]
        for path in (exported, exported / "reader.onnx")
    )
    np.testing.assert_array_equal(by_folder.confidence, by_file.confidence)


def test_an_export_removes_8_bit_files_of_its_own_alone(
    run: Path, printed: DataSet, tmp_path: Path
) -> None:
    for name in ("reader.int8.onnx", "mine.int8.onnx", "notes.int8.txt"):
        (tmp_path / name).write_text("before")
    export(run, tmp_path, printed, 8)
    assert not (tmp_path / "reader.int8.onnx").exists()
    assert (tmp_path / "mine.int8.onnx").read_text() == "before"
    assert (tmp_path / "notes.int8.txt").read_text() == "before"


def test_the_reader_is_one_float32_tensor_in_and_one_out(exported: Path) -> None:
    graph = onnx.load(exported / "reader.onnx").graph
    types = [value.type.tensor_type for value in (*graph.input, *graph.output)]
    assert [t.elem_type for t in types] == [TensorProto.FLOAT] * 2
    shapes = [[dim.dim_value for dim in t.shape.dim] for t in types]
    assert shapes == [[1, 1, 32, 128], [1, 13]]


def test_the_files_carry_their_card(exported: Path, printed: DataSet) -> None:
    card = json.loads((exported / "reader.json").read_text())
    for name in ("logits.onnx", "reader.onnx", "checker.onnx"):
        model = onnx.load(exported / name)
        assert {entry.key: entry.value for entry in model.metadata_props} == card
        assert {entry.domain for entry in model.opset_import} == {""}
        assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert card["charset"] == "0123456789"
    assert card["opset"] == "ai.onnx 18"
    assert card["fingerprint"] == printed.manifest.fingerprint
    assert card["trained"] == "trainer train printed --model nano"
    assert 0.5 <= float(card["temperature"]) <= 4
    assert {path.name for path in exported.iterdir()} == {
        "logits.onnx",
        "reader.onnx",
        "checker.onnx",
        "reader.json",
        "weights.safetensors",
    }


def test_only_the_sureness_differs_from_the_checkpoint(
    run: Path, exported: Path, printed: DataSet
) -> None:
    images, _ = printed.gather("test", np.arange(16))
    model = load_reader(run, CPU)[0]
    with torch.inference_mode():
        trained = model(to_input(torch.from_numpy(images)[:, None])).numpy()
    logits = run_onnx(open_session(exported / "logits.onnx"), images)
    free = trained > -500
    temperature = float(json.loads((exported / "reader.json").read_text())["temperature"])
    np.testing.assert_allclose(logits[free] * temperature, trained[free], rtol=2e-3, atol=1e-2)


def test_the_training_command_names_what_was_chosen(run: Path, printed: DataSet) -> None:
    header = read_header(run / BEST)
    begun = {"init": "12ab", "averaged": "0.5 of it, the rest 34cd", "judge": "56ef"}
    chosen = Config("optimized", epoch_images=5000, rate=0.0005, seed=3, **begun)
    other = replace(header, config=asdict(chosen))
    assert training_command(other) == (
        "trainer train printed --model optimized --epoch-images 5000 --rate 0.0005 --seed 3"
    )
    fixed = replace(header, data="my set 1.0.0", config=asdict(Config("nano", val_images=9)))
    assert training_command(fixed) == "trainer train 'my set' --model nano"
    told = describe(other, 1, printed.manifest)
    assert {name: told[name] for name in begun} == begun
    assert not begun.keys() & describe(header, 1, printed.manifest).keys()


@pytest.mark.parametrize("name", ["nano", "lightweight"])
def test_any_batch_gives_torchs_logits(name: str, tmp_path: Path) -> None:
    model = build_model(name).eval()
    write_model(to_onnx(model), tmp_path / "logits.onnx", {})
    session = open_session(tmp_path / "logits.onnx")
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 128), dtype=np.uint8)
    with torch.inference_mode():
        wanted = model(torch.from_numpy(images[:, None] / np.float32(255))).numpy()
    for batch in (1, 5):
        np.testing.assert_allclose(run_onnx(session, images[:batch]), wanted[:batch], atol=1e-4)


def test_a_file_of_other_weights_fails_the_check(exported: Path, printed: DataSet) -> None:
    with pytest.raises(UserError, match=r"differs from torch by .* nothing was written"):
        check(
            build_model("nano").eval(),
            exported / "logits.onnx",
            exported / "reader.onnx",
            printed,
        )
