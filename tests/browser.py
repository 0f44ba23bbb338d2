"""A real browser for tests of pages: headless Chromium, driven by pointer events."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

WAIT = 20  # s until a page must show what a test waits for
OPTIONS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update --disable-dev-shm-usage
--window-size=1100,800
"""

_NAMED = ("button", "textbox", "combobox", "image", "img", "progressbar", "region")

Strokes = Sequence[Sequence[Sequence[float]]]


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A browser with a profile of its own."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        raise RuntimeError(
            "the tests of the pages need Chromium and its driver: "
            "apt-get install chromium chromium-driver"
        )
    options = ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS.split(), f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


class Server:
    """A command that serves a page, as a process."""

    def __init__(self, *arguments: object, cache: Path, port: int = 0) -> None:
        self.arguments, self.cache = arguments, cache
        self.port = port or _free_port()
        self.start()

    def start(self) -> None:
        name, *rest = map(str, self.arguments)
        command = [str(Path(sys.executable).with_name(name)), *rest, "--port", str(self.port)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"XDG_CACHE_HOME": str(self.cache), "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.fullmatch(r"open (http://\S+)\n", line):
                self.address = found[1]
                return
        raise RuntimeError(f"{command} ended: {self.process.communicate()[1]}")

    def end(self, number: int = signal.SIGKILL) -> tuple[str, str]:
        """Send a signal; what else the process has printed."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=30)


@contextlib.contextmanager
def serving(*arguments: object, cache: Path) -> Iterator[Server]:
    server = Server(*arguments, cache=cache)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Page:
    """A page that is opened for the first time; elements are named by their ids."""

    def __init__(self, chrome: Chrome, address: str) -> None:
        self.chrome = chrome
        # From a page with another hash only the hash would change.
        chrome.get("about:blank")
        origin = {"origin": address.partition("/#")[0], "storageTypes": "local_storage"}
        chrome.execute_cdp_cmd("Storage.clearDataForOrigin", origin)
        self.errors()
        chrome.get(address)

    def __getitem__(self, name: str) -> Any:
        return self.chrome.find_element(By.ID, name)

    def text(self, name: str) -> str:
        return str(self[name].get_property("textContent"))

    def wait(self, name: str, wanted: str) -> None:
        """Wait until the text of an element contains a pattern."""
        message = f"#{name} has no {wanted!r}"
        WebDriverWait(self.chrome, WAIT, 0.02).until(
            lambda _: re.search(wanted, self.text(name)), message
        )

    def type(self, name: str, keys: str) -> None:
        self[name].clear()
        self[name].send_keys(keys)

    def press(self, *keys: str) -> None:
        ActionChains(self.chrome).send_keys(*keys).perform()

    def script(self, code: str) -> Any:
        """Run JavaScript in the page; elements are at hand by their ids."""
        return self.chrome.execute_script(code)

    def choose(self, name: str, value: str) -> None:
        """Pick an option."""
        code = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
        self.chrome.execute_script(code, self[name], value)

    def strokes(self, key: str) -> int:
        """How many strokes the browser has stored of a drawing that is not finished."""
        return len(json.loads(self.script(f"return localStorage.getItem('{key}')"))["strokes"])

    @contextlib.contextmanager
    def screen(self, width: int, height: int, dark: bool = False) -> Iterator[None]:
        """Look at the page on a screen of this size, in CSS px."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        size = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        try:
            yield
        finally:
            self.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def hold(self, x: float, y: float) -> None:
        """Press the mouse at a point of the area, and keep it pressed."""
        box = self["area"].rect
        actions = ActionBuilder(self.chrome, duration=0)
        actions.pointer_action.move_to_location(int(box["x"] + x), int(box["y"] + y))
        actions.pointer_action.pointer_down()
        actions.perform()

    def release(self) -> None:
        actions = ActionBuilder(self.chrome, duration=0)
        actions.pointer_action.pointer_up()
        actions.perform()

    def size(self) -> tuple[int, int]:
        box = self["area"].size
        return box["width"], box["height"]

    def draw(self, strokes: Strokes, kind: str = "mouse") -> None:
        """Move a pointer (mouse, pen or touch) along strokes, in px from the area's corner."""
        box = self["area"].rect
        pointer = PointerInput(kind, kind)
        actions = ActionBuilder(self.chrome, mouse=pointer, duration=0)
        for stroke in strokes:
            points = [(int(box["x"] + x), int(box["y"] + y)) for x, y in stroke]
            actions.pointer_action.move_to_location(*points[0])
            actions.pointer_action.pointer_down()
            for point in points:
                actions.pointer_action.move_to_location(*point)
            actions.pointer_action.pointer_up()
        actions.perform()

    def unnamed(self) -> list[str]:
        """The roles of controls and pictures that a screen reader has no name for."""
        nodes = self.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        shown = [node for node in nodes if not node["ignored"]]
        roles = [node["role"]["value"] for node in shown if not node.get("name", {}).get("value")]
        return [role for role in roles if role in _NAMED]

    def errors(self) -> list[str]:
        """What the page has complained of since it was last asked."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]


def placed(digits: Sequence[Strokes], width: float, height: float) -> list[list[list[float]]]:
    """Strokes of digits of unit height, set side by side in the middle of an area."""
    size = height * 0.5
    line: list[list[list[float]]] = []
    left = 0.0
    for strokes in digits:
        line += [[[left + x, y] for x, y in stroke] for stroke in strokes]
        left = max(x for stroke in line for x, _ in stroke) + 0.3
    wide = left - 0.3
    size = min(size, 0.8 * width / wide)
    corner = (width - wide * size) / 2, (height - size) / 2
    return [[[corner[0] + x * size, corner[1] + y * size] for x, y in s] for s in line]
