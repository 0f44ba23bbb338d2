"""`generator draw` as a person uses it: a real browser, a real server, real pointer events."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from generator.bank import Bank
from generator.sources.strokes import read_strokes
from tests.browser import Page, Server, Strokes, placed, serving

KINDS = ("mouse", "touch", "pen")
Hand = dict[int, Strokes]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("draw")
    with serving("generator", "draw", base / "drawn", "--per-digit", 1, cache=base) as server:
        yield server


@pytest.fixture
def folder(server: Server) -> Path:
    """Where the server saves; empty."""
    path = Path(server.arguments[2])
    shutil.rmtree(path, ignore_errors=True)
    return path


@pytest.fixture
def page(chrome: Chrome, server: Server, folder: Path) -> Page:
    return begin(Page(chrome, server.address), "Anna")


def begin(page: Page, name: str, pause: str = "") -> Page:
    page.type("name", name)
    page.press(Keys.ENTER)
    page.wait("writer", f"^{re.escape(name.strip())}$")
    page.choose("pause", pause)
    return page


def draw(page: Page, hand: Hand, kind: str = "mouse") -> int:
    """Draw the digit that is asked for."""
    asked = int(page.text("digit"))
    page.draw(placed([hand[asked]], *page.size()), kind)
    return asked


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def generator(*arguments: object) -> str:
    command = [str(Path(sys.executable).with_name("generator")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_a_person_draws_becomes_a_bank_and_a_test_set(
    chrome: Chrome, server: Server, folder: Path, hand: Hand, tmp_path: Path
) -> None:
    page = Page(chrome, server.address)
    assert page.unnamed() == []
    begin(page, " Zoë Ü. ")
    assert page.unnamed() == []
    asked = []
    for turn in range(10):
        page.wait("done", f"^{turn} of 10")
        asked.append(draw(page, hand, KINDS[turn % 3]))
        page["next"].click() if turn % 2 else page.press(" ")
    assert sorted(asked) == list(range(10))
    page.wait("thanks", "Thank you, Zoë Ü.!")
    page.wait("count", "10 digits")
    assert page.unnamed() == []
    page.wait("status", "^All is saved")
    assert page.errors() == []
    stems = [f"{digit}/zoë-ü_1" for digit in range(10)]
    assert files(folder) == sorted(s + end for s in stems for end in (".json", ".png"))

    strokes = read_strokes(folder, "drawn", "MIT")
    assert list(strokes.hands) == ["zoë-ü"]
    for digit in strokes.digits:
        given = placed([hand[digit.label]], 1, 1)
        close(digit.strokes, given)
    generator("digits", tmp_path / "bank.h5", "--folder", folder, "--no-custom")
    assert Bank(tmp_path / "bank.h5").labels.tolist() == list(range(10))
    said = generator("strokes", folder, tmp_path / "set", "--count", 5, "--workers", 1)
    assert "5 test images by 1 writers" in said


def close(found: Any, given: Strokes) -> None:
    """Whether strokes are those drawn, as far as whole px and units tell."""
    assert len(found) == len(given)
    for one, other in zip(found, given, strict=True):
        ends = np.array(other)[[0, -1]] * 1000
        np.testing.assert_allclose(one[[0, -1]], ends, atol=5)
        np.testing.assert_allclose(one.max(axis=0), np.max(other, axis=0) * 1000, atol=5)


def test_a_server_that_is_killed_and_a_page_that_dies_lose_nothing(
    page: Page, server: Server, folder: Path, hand: Hand
) -> None:
    first = draw(page, hand)
    page.press(" ")
    page.wait("status", "^All is saved")
    server.end()
    second = draw(page, hand)
    page.press(" ")
    page.wait("status", "^1 drawing waits. The server does not answer")
    third = int(page.text("digit"))
    page.draw(placed([hand[third]], *page.size())[:1])
    page.chrome.get("about:blank")
    assert len(files(folder)) == 2

    server.start()
    page.chrome.get(server.address)
    page.wait("status", "^All is saved")
    expected = [f"{digit}/anna_1{end}" for digit in (first, second) for end in (".json", ".png")]
    assert files(folder) == sorted(expected)
    assert int(page.text("digit")) == third
    page.draw(placed([hand[third]], *page.size())[1:])
    page.press(" ")
    page.wait("done", "^3 of 10")
    page.wait("status", "^All is saved")
    saved = json.loads((folder / str(third) / "anna_1.json").read_text())
    assert len(saved["strokes"]) == len(hand[third])


def test_what_was_sent_without_an_answer_is_not_saved_twice(
    page: Page, folder: Path, hand: Hand
) -> None:
    page.script(
        "const real = fetch; let lost = 0;"
        "window.fetch = async (...of) => {"
        "  const answer = await real(...of);"
        "  if (!lost++) throw new TypeError('the answer is lost');"
        "  return answer; }"
    )
    draw(page, hand)
    page.press(" ")
    page.wait("status", "The server does not answer")
    assert len(files(folder)) == 2
    page.wait("status", "^All is saved")
    assert len(files(folder)) == 2


def test_what_is_refused_stays_here_and_holds_nothing_up(
    page: Page, folder: Path, hand: Hand
) -> None:
    page.script(
        "const body = { id: 'x', label: '7', writer: 'Anna', pen: 1, strokes: [[[0, 0]]] };"
        "const entry = JSON.stringify({ time: 0, path: 'api/drawing', body });"
        "localStorage.setItem('draw.outbox.x', entry)"
    )
    asked = draw(page, hand)
    page.press(" ")
    page.wait("status", "^All is saved. A drawing was refused and stays in this browser: the id")
    assert files(folder) == [f"{asked}/anna_1.json", f"{asked}/anna_1.png"]
    kept = json.loads(page.script("return localStorage.getItem('refused.draw.outbox.x')"))
    assert kept["body"]["strokes"] == [[[0, 0]]]


def test_undo_takes_back_strokes_and_then_the_digit_before(
    page: Page, folder: Path, hand: Hand
) -> None:
    assert not page["undo"].is_enabled()
    first = draw(page, hand)
    page.press(" ")
    page.wait("status", "^All is saved")
    draw(page, hand)
    strokes = page.strokes("draw.session")
    for left in range(strokes - 1, -1, -1):
        page.press(Keys.BACKSPACE)
        assert page.strokes("draw.session") == left
    page["undo"].click()
    page.wait("done", "^0 of 10")
    page.wait("status", "^$")
    assert files(folder) == []
    assert int(page.text("digit")) == first
    assert page.strokes("draw.session") == len(hand[first])
    page.press("s")  # skipped, and so not drawn
    page.wait("done", "^1 of 10")
    assert page.strokes("draw.session") == 0
    assert files(folder) == []


def test_it_goes_on_by_itself_but_not_for_a_slip(page: Page, hand: Hand) -> None:
    page.choose("pause", "600")
    draw(page, hand)
    page.wait("done", "^1 of 10")
    page.draw([[[100, 100], [104, 101]]])
    page.wait("hint", "very small")
    assert page.strokes("draw.session") == 0
    assert page.text("done") == "1 of 10"


def test_one_person_after_the_other(page: Page, folder: Path, hand: Hand) -> None:
    first = draw(page, hand)
    page["stop"].click()  # what is drawn then counts
    page.wait("thanks", "Thank you, Anna!")
    page["other"].click()
    begin(page, "Ben")
    second = draw(page, hand)
    page["stop"].click()
    page.wait("status", "^All is saved")
    assert {f"{first}/anna_1.png", f"{second}/ben_1.png"} <= set(files(folder))
    page["other"].click()
    page.type("name", "  ")
    page.press(Keys.ENTER)
    page.wait("name-trouble", "no letter and no digit")
    begin(page, "anna")
    page.wait("hint", "1 digit by anna already")


def test_the_arrows_draw_too(page: Page, folder: Path) -> None:
    page.chrome.execute_script("document.getElementById('area').focus()")
    page.press(Keys.ARROW_UP, Keys.ENTER, *[Keys.ARROW_DOWN] * 12, Keys.ENTER, " ")
    page.wait("done", "^1 of 10")
    page.wait("status", "^All is saved")
    (path,) = folder.glob("*/*.json")
    stroke = json.loads(path.read_text())["strokes"][0]
    assert stroke[0] == [500, 480]
    assert stroke[-1] == [500, 720]


def test_points_between_two_frames_are_kept(page: Page, folder: Path) -> None:
    page.script(
        "window.touched = null;"
        "area.addEventListener('pointerdown', (event) => touched = event.pointerId);"
    )
    page.hold(50, 50)
    page.script(
        "const box = area.getBoundingClientRect();"
        "const at = (x, y) => ({ pointerId: touched, clientX: box.x + x, clientY: box.y + y });"
        "const coalescedEvents = [[60, 90], [70, 130], [80, 190]].map("
        "  ([x, y]) => new PointerEvent('pointermove', at(x, y)));"
        "area.dispatchEvent(new PointerEvent('pointermove', { ...at(80, 190), coalescedEvents }));"
    )
    page.release()
    page.press(" ")
    page.wait("status", "^All is saved")
    (path,) = folder.glob("*/*.json")
    unit = 1000 / page.size()[1]
    expected = [[50, 50], [60, 90], [70, 130], [80, 190]]
    found = np.array(json.loads(path.read_text())["strokes"][0])
    np.testing.assert_allclose(found[:4], np.array(expected) * unit, atol=3)


def test_a_page_without_the_token_says_where_to_get_it(chrome: Chrome, server: Server) -> None:
    page = Page(chrome, server.address.partition("#")[0])
    page.type("name", "Eve")
    page.press(Keys.ENTER)
    page.wait("name-trouble", "open the address that the terminal shows")


def test_another_site_can_save_nothing(
    page: Page, server: Server, folder: Path, hand: Hand
) -> None:
    # By its name the same server is another site, which even has its token.
    page.chrome.get(server.address.replace("127.0.0.1", "localhost"))
    drawing = {"id": "0" * 32, "label": "7", "writer": "eve", "pen": 9, "strokes": [[[0, 0]]]}
    done = page.chrome.execute_async_script(
        "const [address, body, back] = arguments;"
        "const token = { 'X-Token': location.hash.slice(1) };"
        "const json = { 'Content-Type': 'application/json' };"
        "const ways = [{}, { mode: 'no-cors' }, { headers: { ...token, ...json } }];"
        "Promise.allSettled(ways.map((way) => fetch(address, { method: 'POST', body, ...way })))"
        "  .then((all) => back(all.map((each) => each.status)));",
        server.address.partition("#")[0] + "api/drawing",
        json.dumps(drawing),
    )
    assert done == ["rejected"] * 3
    assert files(folder) == []


def test_a_phone_needs_no_scrolling(page: Page, chrome: Chrome, hand: Hand) -> None:
    with page.screen(360, 640):
        wide, high = page.script(
            "const e = document.documentElement;return [e.scrollWidth, e.scrollHeight]"
        )
        assert (wide, high) == (360, 640)
        draw(page, hand, "touch")
        page["next"].click()
        page.wait("done", "^1 of 10")
