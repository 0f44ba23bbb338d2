"""The same fit in four languages, on golden drawings and on some drawn by chance."""

import base64
import ctypes
import json
from pathlib import Path

import numpy as np
import pytest

from scripts.golden import unpack
from shards.canvas import fit
from tests.trainer.kits.tools import (
    GOLDEN,
    HERE,
    drawings,
    godot,
    godot_project,
    need,
    require_equal,
    run,
    said,
)
from trainer.kit import KITS


@pytest.fixture(scope="module")
def drawn() -> list[dict]:
    return drawings()


@pytest.fixture(scope="module")
def file(drawn: list[dict], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawings") / "drawings.json"
    path.write_text(json.dumps(drawn))
    return path


def pixels_of(each: dict) -> np.ndarray:
    shape = each["height"], each["width"], each["channels"]
    return unpack(each["pixels"]).reshape(shape if shape[2] > 1 else shape[:2])


def decode(text: object) -> np.ndarray:
    return np.frombuffer(base64.b64decode(str(text)), np.uint8)


def test_python_fits_the_golden_drawings() -> None:
    assert len({each["name"] for each in GOLDEN}) == len(GOLDEN) > 20
    assert {each["channels"] for each in GOLDEN} == {1, 2, 3, 4}
    require_equal([fit(pixels_of(each)).ravel() for each in GOLDEN], GOLDEN)


def test_javascript(drawn: list[dict], file: Path) -> None:
    lines = said(need("node"), HERE / "fit.mjs", KITS / "web", file)
    require_equal([decode(text) for kind, text in lines if kind == "canvas"], drawn)
    assert [same for kind, same in lines if kind == "kind"] == [True, True]
    bad = [str(text) for kind, text in lines if kind == "bad"]
    assert len(bad) == 10
    assert all(text.startswith("TypeError undefined: no picture: ") for text in bad[:9]), bad
    assert bad[9] == (
        "Error BLANK: nothing is drawn: the contrast to the background is 0 of 255, "
        "at least 32 is needed"
    )


def test_gdscript(drawn: list[dict], file: Path, tmp_path: Path) -> None:
    project = godot_project(KITS / "godot", tmp_path / "project")
    lines = godot(project, "t_fit.gd", file)
    require_equal([decode(text) for kind, text in lines if kind == "canvas"], drawn)
    inked = [decode(text).astype(int) for kind, text in lines if kind == "ink"]
    for pixels, each in zip(inked, [each for each in GOLDEN if "strokes" in each], strict=True):
        assert np.abs(pixels - unpack(each["pixels"])).max() <= 1, each["name"]  # Vector2: 32 bits
    (image,) = [decode(text) for kind, text in lines if kind == "image"]
    assert np.array_equal(image, fit(np.array([[0, 200, 90]], np.uint8)).ravel())
    assert [size for kind, size in lines if kind == "bad"] == [0] * 6


def test_c(drawn: list[dict], tmp_path: Path) -> None:
    flags = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
    whole = ("-fPIC", "-shared", "-o", tmp_path / "fit.so", KITS / "native/fit.c", "-lm")
    run(need("cc"), *flags, *whole)
    library = ctypes.CDLL(str(tmp_path / "fit.so"))
    canvas = np.zeros(32 * 128, np.uint8)

    def call(pixels: np.ndarray | None, width: int, height: int, channels: int) -> int:
        at = None if pixels is None else ctypes.c_void_p(pixels.ctypes.data)
        return int(library.fit(at, width, height, channels, ctypes.c_void_p(canvas.ctypes.data)))

    canvases = []
    for each in drawn:
        assert call(pixels_of(each), each["width"], each["height"], each["channels"]) == 0
        canvases.append(canvas.copy())
    require_equal(canvases, drawn)
    paper = np.full(900, 7, np.uint8)
    for pixels, width, height, channels in (
        (None, 3, 3, 1),
        (paper, 0, 3, 1),
        (paper, 3, -3, 1),
        (paper, 3, 3, 0),
        (paper, 3, 3, 5),
        (paper, 40_000, 3, 1),
    ):
        assert call(pixels, width, height, channels) == 1  # FIT_NO_PICTURE
    assert call(paper, 30, 30, 1) == 2  # FIT_BLANK
    assert np.array_equal(canvas, canvases[-1])
