import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shards.canvas import fit
from shards.errors import UserError
from shards.reader import DataSet
from trainer import read as module
from trainer.export import export
from trainer.predict import by_onnx
from trainer.read import Reader
from trainer.shipped import FOLDER, find_file


@pytest.fixture(scope="module")
def folder(run: Path, printed: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reader")
    export(run, out, printed)
    return out


def save_drawing(image: np.ndarray, path: Path) -> Path:
    Image.fromarray(255 - image).resize((512, 128)).save(path)
    return path


def test_drawings_are_fitted_and_read(folder: Path, printed: DataSet, tmp_path: Path) -> None:
    reader, read = Reader(folder / "reader.onnx"), by_onnx(folder / "reader.onnx")
    kinds = set()
    images = printed.gather("test", np.arange(32))[0]
    images[::2] = 0
    images[::2, :, 110] = 255  # too narrow for many digits
    for image in images:
        path = save_drawing(image, tmp_path / "drawing.png")
        wanted = read(fit(path)[None])
        count = int(wanted.count[0])
        kinds.add(count > 5)
        reading = reader.read(path)
        assert reading == reader.read_canvas(fit(path))
        assert reading.count == count
        if count > 5:
            assert (reading.text, reading.value, reading.confidence) == ("", -1, 0)
            assert reading.digit_confidences == ()
            assert reading.fault.startswith(f"more than 5 digits are written ({count} were seen)")
            continue
        digits = wanted.digits[0][wanted.digits[0] >= 0]
        assert reading.text == "".join(map(str, digits))
        assert len(reading.digit_confidences) == len(reading.text) == count
        assert not reading.fault
        certain = math.prod(reading.digit_confidences) if reading.value >= 0 else 0
        assert reading.confidence == pytest.approx(certain)
    assert kinds == {False, True}


def test_an_empty_canvas_has_no_number(folder: Path) -> None:
    reading = Reader(folder / "reader.onnx").read_canvas(np.zeros((32, 128), np.uint8))
    assert (reading.text, reading.value, reading.confidence, reading.count) == ("", -1, 0.0, 0)
    assert reading.digit_confidences == ()
    assert reading.fault == "no digit is seen in what is drawn: write larger or clearer"


def test_a_reader_is_named_by_its_file_its_folder_or_its_name(tmp_path: Path) -> None:
    canvas = np.zeros((32, 128), np.uint8)
    canvas[6:26, 60:63] = 255
    file = FOLDER / "optimized-int8" / "reader.onnx"
    found = [Reader(path).read_canvas(canvas) for path in (file, file.parent, Path("optimized"))]
    assert found[0] == found[1] == found[2] != Reader().read_canvas(canvas)
    assert find_file(tmp_path / "optimized") == tmp_path / "optimized"


def test_what_is_no_reader_is_refused(folder: Path, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(UserError, match="ends in logits"):
        Reader(folder / "logits.onnx")
    with pytest.raises(UserError, match="does not exist"):
        Reader(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(UserError, match="is no ONNX file"):
        Reader(tmp_path / "text.onnx")
    monkeypatch.setattr(module, "DEFAULT", tmp_path / "absent.onnx")
    with pytest.raises(UserError, match="no reader ships with this copy; make one"):
        Reader()
