"""The web kit in a real browser, drawn on with real pointers, and its reader in node."""

import contextlib
import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

from scripts.golden import ink, write
from tests.browser import WAIT, Page
from tests.trainer.kits.tools import HERE, NODE_MODULES, need
from trainer.kit import write_kit


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def kit(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "kit"
    write_kit(folder, "web", str(model))
    (folder / "node_modules").symlink_to(need(str(NODE_MODULES)))
    return folder


def draw(page: Page, label: str, size: float = 120) -> None:
    strokes = write(label, size, 1)
    page.draw([[[x, y] for x, y in zip(s[::2], s[1::2], strict=True)] for s in strokes])


def test_it_draws_reads_and_checks_without_a_network(chrome: Chrome, kit: Path) -> None:
    with serving(kit) as address:
        page = Page(chrome, address)
        page.wait("cost", r"^\d+ KB of models, opened in \d+ ms$")
        assert page.text("cost").startswith(f"{size_of(kit):.0f} KB")
        draw(page, "407")
        page.wait("reading", r"^407, \d+ % sure: wrong$")
        page.type("answer", "407")
        page.wait("reading", r"^407, \d+ % sure: right$")
        page.wait("cost", r"KB of models; fit [\d.]+ ms, read [\d.]+ ms$")
        for bad in ("x7", "-1"):
            page.type("answer", bad)
            page.wait(
                "reading", f'^the expected answer must be text of 1 to 5 digits, not "{bad}"$'
            )
        page["clear"].click()
        assert page.text("reading") == ""
        names = page.script("return performance.getEntriesByType('resource').map((e) => e.name)")
        assert len(names) >= 6
        assert [name for name in names if not name.startswith((address, "data:"))] == []
        assert page.errors() == []
        kept = "return navigator.serviceWorker.controller !== null"
        WebDriverWait(chrome, WAIT, 0.05).until(lambda _: page.script(kept))
    chrome.get(address)  # nothing answers there any more
    page.wait("cost", "opened in")
    draw(page, "69")
    page.wait("reading", r"^69, \d+ % sure: wrong$")


def test_without_a_checker_it_only_reads(chrome: Chrome, kit: Path, tmp_path: Path) -> None:
    write_kit(tmp_path / "kit", "web", str(kit))
    (tmp_path / "kit/checker.onnx").unlink()
    (tmp_path / "kit/node_modules").symlink_to(NODE_MODULES)
    with serving(tmp_path / "kit") as address:
        page = Page(chrome, address)
        page.wait("cost", "opened in")
        assert not page["ask"].is_displayed()
        draw(page, "31285", 60)
        page.wait("reading", r"^31285, \d+ % sure$")


def size_of(kit: Path) -> float:
    return sum((kit / name).stat().st_size for name in ("reader.onnx", "checker.onnx")) / 1e3


def test_bad_input_is_refused(kit: Path) -> None:
    pixels = ink(write("31415926", 60, 3), 6, 400, 90)
    many = json.dumps({"data": pixels.ravel().tolist(), "width": 400, "height": 90})
    command = [need("node"), HERE / "read.mjs", kit]
    done = subprocess.run(command, input=many, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    nothing = {"text": "", "value": -1, "confidence": 0, "digitConfidences": []}
    assert said[0] == ["blank canvas", nothing | {"count": 0}]
    bad = [text for kind, text in said if kind == "bad"]
    assert bad[0].startswith("Error: nothing is drawn")
    assert bad[1:5] == ["TypeError: a canvas is 4096 bytes, as fit() makes it"] * 4
    assert len(bad[5:16]) == 11
    assert all(
        text.startswith("TypeError: the expected answer must be text of 1 to 5 digits, not ")
        for text in bad[5:16]
    )
    assert bad[16:18] == [
        "TypeError: the model maps image,expected to answer, not image to reading",
        "TypeError: the model maps image to reading, not image,expected to answer",
    ]
    assert bad[18].startswith("Error: ")
    assert said[-1][0] == "many"
    assert said[-1][1] == nothing | {"count": said[-1][1]["count"]}
    assert said[-1][1]["count"] > 5
