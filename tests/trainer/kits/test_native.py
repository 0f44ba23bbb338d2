"""The native kit, compiled and run against the readers that ship."""

import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from scripts.golden import ink, write
from tests.trainer.kits.tools import INCLUDE, need
from trainer.check import Checker
from trainer.kit import write_kit
from trainer.read import Reader
from trainer.shipped import FOLDER as PRETRAINED


@pytest.fixture(scope="module")
def kit(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("native")
    need(str(INCLUDE / "onnxruntime_c_api.h"))
    need("cc")
    (library,) = Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*")
    (base / "libonnxruntime.so.1").symlink_to(library)
    write_kit(base / "kit", "native", str(model))
    command = [need("make"), "-C", base / "kit", f"INCLUDE={INCLUDE}", f"LIB={base}"]
    made = subprocess.run([*command, "CFLAGS=-Werror"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return base / "kit"


def save(path: Path, pixels: np.ndarray, header: str = "P5") -> Path:
    path.write_bytes(
        f"{header} {pixels.shape[1]} {pixels.shape[0]} 255\n".encode() + pixels.tobytes()
    )
    return path


def read(kit: Path, *arguments: object, text: bytes = b"") -> tuple[int, str, str]:
    command = [kit / "read", *map(str, arguments)]
    done = subprocess.run(command, cwd=kit, capture_output=True, input=text)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_it_reads_as_python_does(kit: Path, tmp_path: Path) -> None:
    for seed, label in enumerate(["0", "19", "407", "31285", "00"]):
        pixels = ink(write(label, 90, seed), 9, 330, 120)
        path = save(tmp_path / f"{label}.pgm", pixels)
        for name in ("nano-int8", "nano-fp32", "optimized-int8"):
            model = PRETRAINED / name / "reader.onnx"
            expected = Reader(model).read(pixels)
            found = read(kit, model, path)
            assert found == (0, f"{expected.text}\t{expected.confidence:.3f}\n", "")


def test_it_checks_answers(kit: Path, drawing: np.ndarray, tmp_path: Path) -> None:
    path = save(tmp_path / "drawing.pgm", drawing)
    code, said, _ = read(kit, "checker.onnx", path, "407")
    assert (code, said.split("\t")[0], said.split("\t")[2]) == (0, "right", "407")
    code, said, _ = read(kit, "checker.onnx", path, "47")
    assert (code, said.split("\t")[:3]) == (0, ["wrong", "0.000", "407"])
    colour = np.repeat(drawing[..., None], 3, 2)
    assert read(kit, "checker.onnx", save(path, colour, "P6"), "407")[1].startswith("right\t")


def test_the_checkers_that_ship_say_what_they_say_in_python(
    kit: Path, drawing: np.ndarray, tmp_path: Path
) -> None:
    path = save(tmp_path / "drawing.pgm", drawing)
    for name in ("nano-int8", "nano-fp32", "optimized-int8"):
        model = PRETRAINED / name / "checker.onnx"
        for answer in ("407", "401", "47", "4077", "0"):
            expected = Checker(model).check(drawing, answer)
            code, said, _ = read(kit, model, path, answer)
            verdict, probability, *rest = said.split("\t")
            assert (code, verdict) == (0, expected.verdict)
            assert probability == f"{expected.probability:.3f}"
            assert rest[0].strip() == "407"


@pytest.mark.parametrize("answer", ["", "x7", "123456", "-1", "4.0", " 407", "４"])
def test_what_is_no_answer_is_refused(
    kit: Path, drawing: np.ndarray, tmp_path: Path, answer: str
) -> None:
    path = save(tmp_path / "drawing.pgm", drawing)
    code, said, error = read(kit, "checker.onnx", path, answer)
    assert (code, said) == (1, "")
    assert error == "error: checker.onnx: the expected answer must be 1 to 5 digits\n"


def test_what_is_no_drawing_or_no_model_is_refused(
    kit: Path, drawing: np.ndarray, tmp_path: Path
) -> None:
    path = save(tmp_path / "drawing.pgm", drawing)
    whole = path.read_bytes()
    no_file = "no binary PGM or PPM file of 8 bits and at most 8192 px a side"
    for text in (
        b"",
        b"P2 1 1 255\n0",
        whole[:-1],
        b"P5 0 5 255\n",
        b"P5 9000 1 255\n",
        b"P5 1 1 65535\n00",
    ):
        assert read(kit, "reader.onnx", "-", text=text) == (1, "", f"error: -: {no_file}\n")
    assert read(kit, "reader.onnx", "-", text=whole)[0] == 0
    height, width = drawing.shape
    header = f"P5\n# by a program\n#\n{width} # wide\n{height}\n255\n".encode()
    said = read(kit, "reader.onnx", "-", text=header + drawing.tobytes())
    assert said == read(kit, "reader.onnx", "-", text=whole)
    blank = save(tmp_path / "blank.pgm", np.full((9, 9), 80, np.uint8))
    assert read(kit, "reader.onnx", blank)[2] == f"error: {blank}: nothing is drawn\n"
    many = save(tmp_path / "many.pgm", ink(write("31415926", 60, 3), 6, 400, 90))
    assert read(kit, "reader.onnx", many)[2] == f"error: {many}: more than 5 digits\n"
    swapped = (read(kit, "checker.onnx", path)[2], read(kit, "reader.onnx", path, "407")[2])
    assert swapped == (
        "error: checker.onnx: this model is a checker, not a reader\n",
        "error: reader.onnx: this model is a reader, not a checker\n",
    )
    for model, message in (
        ("absent.onnx", "File doesn't exist"),
        ("README.md", "Protobuf parsing failed"),
        (PRETRAINED / "nano-int8" / "logits.onnx", "Invalid output name"),
    ):
        code, said, error = read(kit, model, path)
        assert (code, said) == (1, "")
        assert error.startswith(f"error: {model}: ")
        assert message in error


@pytest.mark.parametrize(
    "body",
    [
        "reading = Flatten (image)",  # 4096 floats
        "n = Constant <value_floats = [3e38]> () reading = Expand (n, shape)",
        "n = Constant <value_floats = [55.0]> () reading = Expand (n, shape)",
    ],
)
def test_a_model_of_strangers_does_no_harm(
    kit: Path, drawing: np.ndarray, tmp_path: Path, body: str
) -> None:
    text = f"""<ir_version: 10, opset_import: ["": 18]>
    g (float[1, 1, 32, 128] image) => (float[1, n] reading)
    <int64[2] shape = {{1, 13}}> {{ {body} }}"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "strange.onnx")
    code, said, error = read(kit, tmp_path / "strange.onnx", save(tmp_path / "d.pgm", drawing))
    assert (code, said) == (1, "")
    assert error.endswith(
        (": neither a reader.onnx nor a checker.onnx\n", ": more than 5 digits\n")
    )
