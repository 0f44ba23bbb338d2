"""The readers that ship, on drawings."""

import json
from pathlib import Path

import onnx
import pytest
from PIL import Image, ImageOps

from trainer.check import Checker
from trainer.check_export import read_thresholds
from trainer.facts import read_card
from trainer.read import Reader
from trainer.shipped import FOLDER as PRETRAINED

ROOT = Path(__file__).parents[2]


def drawings() -> list[tuple[str, Image.Image]]:
    """Numbers of three digits, each by one of the embedded model hands, dark on white."""
    found = []
    for writer in range(0, 40, 2):
        for first in range(0, 10, 3):
            label = "".join(str((first + k) % 10) for k in range(3))
            page = Image.new("L", (240, 100), 255)
            for place, digit in enumerate(label):
                path = ROOT / "custom_digits" / digit / f"pen-{writer:03d}_1.png"
                page.paste(Image.open(path).convert("L"), (10 + 75 * place, 18))
            found.append((label, page))
    return found


def test_the_shipped_reader_reads_drawings_of_either_polarity() -> None:
    reader = Reader()
    pages = drawings()
    right = [reader.read(page).text == label for label, page in pages]
    assert sum(right) >= 0.95 * len(pages)
    for _, page in pages[:5]:
        assert reader.read(ImageOps.invert(page)).text == reader.read(page).text


def test_what_is_read_surely_is_right() -> None:
    reader = Reader()
    readings = [(reader.read(page), label) for label, page in drawings()]
    sure = [reading.text == label for reading, label in readings if reading.confidence > 0.99]
    assert len(sure) > 20
    assert sum(sure) >= 0.98 * len(sure)


@pytest.mark.parametrize(("name", "limit"), [("nano-int8", 160_000), ("nano-fp32", 500_000)])
def test_nano_is_small_and_needs_standard_operators_only(name: str, limit: int) -> None:
    file = PRETRAINED / name / "reader.onnx"
    assert file.stat().st_size < limit
    assert {entry.domain for entry in onnx.load(file).opset_import} == {""}


SHIPPED = sorted(path for path in PRETRAINED.iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_whatever_ships_says_what_it_is(folder: Path) -> None:
    facts = json.loads((folder / "reader.json").read_text())
    model, precision = folder.name.split("-")
    assert facts["model"] == model
    assert ("quantization" in facts) == (precision == "int8")
    assert len(facts["fingerprint"]) == 64
    for name in ("reader.onnx", "logits.onnx"):
        assert read_card(folder / name) == facts
        kinds = {node.op_type for node in onnx.load(folder / name).graph.node}
        assert "ConvInteger" not in kinds
    for checker in folder.glob("checker.onnx"):
        assert facts.items() <= read_card(checker).items()  # one made later says more
        read_thresholds(read_card(checker), checker)


def test_the_shipped_checker_knows_right_from_wrong() -> None:
    checker = Checker()
    for label, page in drawings()[::8]:
        assert checker.check(page, label).verdict != "wrong"
        assert checker.check(page, label[1] + label[0] + label[2]).verdict != "right"
