"""`trainer demo` as a person uses it: a real browser, a real server, real pointer events."""

import base64
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from shards.canvas import fit
from shards.errors import UserError
from shards.pages.app import Site
from shards.pages.store import Store
from shards.strokes import ink, parse_strokes, read_drawing
from tests.browser import Page, Server, Strokes, placed, serving
from trainer.check import Checker
from trainer.check_export import read_thresholds
from trainer.demo import SIDE, demo_app, readers
from trainer.demo.verdict import Judge, judge
from trainer.facts import read_card
from trainer.files import CHECKER
from trainer.read import DEFAULT, Reader, Reading
from trainer.shipped import FOLDER

TOKEN = "0" * 32
Hand = dict[int, Strokes]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("demo")
    with serving("trainer", "demo", "--keep", base / "hard", cache=base) as server:
        yield server


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Page:
    page = Page(chrome, server.address)
    page.wait("rule", "Right")
    return page


def draw(page: Page, hand: Hand, number: str, kind: str = "mouse") -> None:
    page.draw(placed([hand[int(digit)] for digit in number], *page.size()), kind)


def drawn(page: Page) -> np.ndarray:
    """The picture that the page shows as the reader sees it."""
    source = page["seen"].get_attribute("src")
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)))


def test_what_is_drawn_is_read_and_shown(page: Page, hand: Hand) -> None:
    assert page.text("value") == "–"
    assert page.unnamed() == []
    draw(page, hand, "407")
    page.wait("value", "^407$")
    page.wait("sure", r"^(9\d|100)\s% sure$")
    rows = page.script("return [...digits.children].map((row) => row.textContent)")
    assert [row[0] for row in rows] == ["4", "0", "7"]
    page.wait("time", r"fitted in \d+\.\d\d ms, read in \d+\.\d\d ms")
    assert page.unnamed() == []
    seen = drawn(page)
    assert seen.shape == (32, 128)
    assert Reader().read_canvas(seen).text == "407"
    page.choose("model", "nano-fp32")
    page.wait("value", "^407$")
    page.press(Keys.BACKSPACE)
    page.wait("value", "^(?!407)")
    page.press(Keys.DELETE)
    page.wait("value", "^–$")
    page.wait("sure", "Nothing is drawn yet")
    assert not page["undo"].is_enabled()
    assert page.errors() == []


@pytest.mark.parametrize("number", ["0", "12345", "6789"])
def test_any_number_is_read(page: Page, hand: Hand, number: str) -> None:
    draw(page, hand, number, "pen")
    page.wait("value", f"^{number}$")


def test_it_tells_right_from_wrong_and_asks_again(page: Page, hand: Hand) -> None:
    draw(page, hand, "36", "touch")
    page.wait("value", "^36$")
    page.type("expected", "36")
    page.wait("verdict", "^right$")
    page.type("expected", "0036")
    page.wait("verdict", "^wrong$")
    page.type("expected", "35")
    page.wait("verdict", "^wrong$")
    page.type("expected", "3a")
    page.wait("verdict", "^$")
    page["clear"].click()
    draw(page, hand, "1111111")
    page.type("expected", "11111")
    page.wait("sure", "more than 5 digits")
    page.wait("verdict", "^ask again$")


def test_a_hard_case_is_kept_for_the_next_training(page: Page, server: Server, hand: Hand) -> None:
    folder = Path(server.arguments[3])
    draw(page, hand, "25")
    page.wait("value", "^25$")
    page.type("label", "26")
    page["keep-it"].click()
    page.wait("kept", r"Kept as 26_1\.png")
    page.type("label", "25")  # it was a slip
    page["keep-it"].click()
    page.wait("kept", r"Kept as 25_1\.png")
    page["clear"].click()
    draw(page, hand, "25")
    page.type("label", "25" + Keys.ENTER)
    page.wait("kept", r"Kept as 25_2\.png")
    assert sorted(path.name for path in folder.iterdir()) == [
        "25_1.json", "25_1.png", "25_2.json", "25_2.png",
    ]  # fmt: skip
    assert read_drawing(folder / "25_1.json").label == "25"
    assert Reader().read(folder / "25_1.png").text == "25"


def test_a_phone_sees_the_reading_below_its_thumb(page: Page, hand: Hand) -> None:
    with page.screen(360, 740):
        assert page.script("return document.documentElement.scrollWidth") == 360
        draw(page, hand, "8", "touch")
        page.wait("value", "^8$")
        assert page.script("return value.getBoundingClientRect().bottom < innerHeight")


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return demo_app(Store(tmp_path), readers(), Site("127.0.0.1", 80, TOKEN)).test_client()


def post(client: FlaskClient, path: str, content: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Host": "127.0.0.1", "X-Token": TOKEN}
    answer = client.post(path, json=content, headers=headers)
    return answer.status_code, answer.get_json()


def test_the_reading_is_that_of_the_library(client: FlaskClient, hand: Hand) -> None:
    strokes = placed([hand[3], hand[1]], 400, 200)
    asked = {"strokes": strokes, "pen": 9, "model": "nano-int8", "expected": ""}
    status, found = post(client, "/api/read", asked)
    reading = Reader().read_canvas(fit(ink(parse_strokes(strokes), 9, SIDE)))
    assert (status, found["text"], found["verdict"]) == (200, reading.text, "")
    assert found["confidence"] == reading.confidence
    assert [row["confidence"] for row in found["digits"]] == list(reading.digit_confidences)


@pytest.mark.parametrize(
    ("path", "change", "sentence"),
    [
        ("/api/read", {"model": "/etc/passwd"}, "there is no reader"),
        ("/api/read", {"model": None}, "model is None"),
        ("/api/read", {"expected": "1e9"}, "is not a number"),
        ("/api/read", {"expected": 7}, "expected is 7"),
        ("/api/read", {"strokes": []}, "there are no strokes"),
        ("/api/read", {"pen": -1}, "not a width"),
        ("/api/keep", {"label": "../1"}, "is not a number"),
        ("/api/keep", {"label": ""}, "is not a number"),
        ("/api/keep", {"id": "x"}, "not 32 hex digits"),
    ],
)
def test_nonsense_is_told(
    client: FlaskClient, tmp_path: Path, path: str, change: dict[str, Any], sentence: str
) -> None:
    good = {"strokes": [[[0, 0], [9, 9]]], "pen": 1, "model": "nano-int8", "expected": "1"}
    good |= {"label": "1", "id": "0" * 32}
    status, found = post(client, path, good | change)
    assert status == 400
    assert sentence in found["error"]
    assert not list(tmp_path.iterdir())


def test_what_is_no_reader_is_told_before_anything_is_served(tmp_path: Path) -> None:
    logits = next(iter(readers().values())).with_name("logits.onnx")
    with pytest.raises(UserError, match="ends in logits"):
        demo_app(Store(tmp_path), {"mine": logits}, Site("127.0.0.1", 80, TOKEN))


def test_a_reader_may_be_a_file_a_folder_or_a_name() -> None:
    found = readers([DEFAULT, FOLDER / "optimized-int8", Path("nano-fp32")])
    assert next(iter(found)) == "nano-int8"
    assert found[str(DEFAULT)] == DEFAULT
    assert found[str(FOLDER / "optimized-int8")] == found["optimized-int8"]
    assert all(path.is_file() for path in found.values())


@pytest.mark.parametrize(
    ("text", "confidence", "expected", "verdict"),
    [
        ("407", 0.5, "407", "right"),
        ("407", 0.49, "407", "ask again"),
        ("407", 0.9, "401", "wrong"),
        ("407", 0.89, "401", "ask again"),
        ("07", 0.99, "7", "right"),
        ("70", 0.99, "7", "wrong"),
        ("", 0.0, "7", "ask again"),
    ],
)
def test_verdicts(text: str, confidence: float, expected: str, verdict: str) -> None:
    shares = (confidence,) * len(text)
    reading = Reading(text, int(text or -1), confidence, len(text), shares)
    assert judge(reading, expected) == verdict


def test_the_checker_beside_a_reader_decides(tmp_path: Path, hand: Hand) -> None:
    image = fit(ink(parse_strokes(placed([hand[3], hand[1]], 400, 200)), 9, SIDE))
    reading = Reader().read_canvas(image)
    assert reading.text == "31"
    alone = Path(shutil.copy(DEFAULT, tmp_path / "reader.onnx"))
    for expected, by_checker, by_reading in (
        ("31", "right", "right"),
        ("031", "wrong", "right"),
        ("81", "wrong", "wrong"),
    ):
        assert Checker().check_canvas(image, expected).verdict == by_checker
        assert Judge(DEFAULT).verdict(image, reading, expected) == by_checker
        assert Judge(alone).verdict(image, reading, expected) == by_reading
    assert "Zeros in front do not count" in Judge(alone).rule


def test_the_rule_on_the_page_is_the_one_that_is_applied(page: Page) -> None:
    assert page.text("rule") == Judge(DEFAULT).rule
    checker = DEFAULT.with_name(CHECKER)
    known = read_thresholds(read_card(checker), checker)
    limits = [f"{known.right_from:.0%}", f"{known.wrong_to:.1%}"]
    assert re.findall(r"[\d.]+%", page.text("rule")) == limits
    names = page.script("return [...model.options].map((option) => option.value)")
    assert names == list(readers())
    assert names[0] == "nano-int8"
