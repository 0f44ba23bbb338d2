"""A small HTTP server of the tests' own: a folder, with ranges, and with faults on demand."""

import re
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Site:
    """What is served, what goes wrong with the next answers, and what was asked for.

    faults: by the name of a file, what its next answers suffer: "cut" (half of it, then the
    connection is closed), "stall" (half, then nothing until the server ends), "corrupt" (a byte
    is another), "500", "403", or "fine".
    """

    folder: Path
    url: str = ""
    ranges: bool = True
    token: str | None = None
    faults: dict[str, deque[str]] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)  # file, start, stop
    over: threading.Event = field(default_factory=threading.Event)

    def fail(self, file: str, *faults: str) -> None:
        self.faults.setdefault(file, deque()).extend(faults)

    def asked_of(self, file: str) -> list[tuple[int, int]]:
        return [(start, stop) for name, start, stop in self.asked if name == file]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        parts, site = urlsplit(self.path), self.site
        name = parts.path.lstrip("/")
        path = site.folder / name
        if site.token is not None and parts.query != f"token={site.token}":
            return self._fail(403)
        if not path.is_file():
            return self._fail(404)
        size = path.stat().st_size
        start, stop, status = 0, size, 200
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match and site.ranges:
            start, stop, status = int(match[1]), min(int(match[2]) + 1, size), 206
            if start >= size:
                return self._fail(416)
        if body:
            site.asked.append((name, start, stop))
        waiting = site.faults.get(name)
        fault = waiting.popleft() if body and waiting else "fine"
        if fault.isdecimal():
            return self._fail(int(fault))
        with path.open("rb") as file:
            file.seek(start)
            part = bytearray(file.read(stop - start))
        if fault == "corrupt":
            part[len(part) // 2] ^= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if body:
            self._send(bytes(part), fault)
        return None

    def _send(self, part: bytes, fault: str) -> None:
        try:
            self.wfile.write(part[: len(part) // 2] if fault in ("cut", "stall") else part)
            self.wfile.flush()
        except ConnectionError:
            return
        if fault == "stall":
            self.site.over.wait()
        if fault in ("cut", "stall"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _fail(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """Serve `folder` on a free port of this machine."""
    site = Site(folder)
    handler = type("Bound", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
