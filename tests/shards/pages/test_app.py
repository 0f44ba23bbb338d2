"""What a server answers to those whom it does not know, and to those who send nonsense."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from generator.draw import draw_app
from shards.pages.app import MAX_BODY, Site
from shards.pages.store import Store
from tests.browser import Server, serving
from tests.shards.pages.test_store import names

TOKEN = "0123456789abcdef" * 2
HERE = "127.0.0.1:8310"
GOOD = {
    "id": "ab" * 16,
    "label": "7",
    "writer": "Anna",
    "pen": 60,
    "strokes": [[[0, 0], [400, 0], [100, 900]]],
}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return draw_app(Store(tmp_path), 3, Site("127.0.0.1", 8310, TOKEN)).test_client()


def post(
    client: FlaskClient, content: Any, path: str = "/api/drawing", **headers: str | None
) -> tuple[int, str]:
    """Send JSON as the page does, with other headers where they are given."""
    usual: dict[str, str | None] = {"Host": HERE, "Origin": f"http://{HERE}", "X-Token": TOKEN}
    usual |= {"Content-Type": "application/json"}
    usual |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {name: value for name, value in usual.items() if value is not None}
    answer = client.post(path, data=data, headers=sent)
    found = answer.get_json()
    return answer.status_code, found.get("error", "") if "error" in found else json.dumps(found)


def test_the_page_may(client: FlaskClient, tmp_path: Path) -> None:
    assert post(client, GOOD) == (200, '{"saved": "7/anna_1.png"}')
    assert post(client, GOOD, Origin=None)[0] == 200  # programs send none
    assert post(client, GOOD, Host="localhost:8310", Origin="http://localhost:8310")[0] == 200
    assert post(client, GOOD, Host="[::1]:8310", Origin="http://[::1]:8310")[0] == 200
    assert names(tmp_path) == ["7/anna_1.json", "7/anna_1.png"]


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Origin": "http://evil.example"}, "comes from another site"),
        ({"Origin": "null"}, "comes from another site"),
        ({"Origin": f"https://{HERE}"}, "comes from another site"),
        ({"Origin": "http://127.0.0.1:8311"}, "comes from another site"),
        ({"X_Token": None}, "the token is missing or old"),
        ({"X_Token": "f" * 32}, "the token is missing or old"),
        ({"X_Token": "é"}, "the token is missing or old"),
        (
            {"Host": "evil.example:8310", "Origin": "http://evil.example:8310"},
            "not served here",
        ),
        ({"Host": "127.0.0.1.evil.example:8310", "Origin": None}, "not served here"),
        ({"Host": "127.0.0.1:80", "Origin": None}, "not served here"),
        ({"Host": "127.0.0.1", "Origin": None}, "not served here"),
        ({"Host": "127.0.0.1:x", "Origin": None}, "not served here"),
        ({"Host": "[::1", "Origin": None}, "not served here"),
    ],
)
def test_others_may_not(
    client: FlaskClient, tmp_path: Path, headers: dict[str, str | None], sentence: str
) -> None:
    status, error = post(client, GOOD, **headers)
    assert status == 403
    assert sentence in error
    assert names(tmp_path) == []


def test_a_rebound_name_gets_not_even_the_page(client: FlaskClient) -> None:
    assert client.get("/", headers={"Host": "evil.example:8310"}).status_code == 403
    page = client.get("/", headers={"Host": HERE})
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in page.headers
    assert TOKEN not in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"[1]", "not an object"),
        (b'{"strokes": ' + b"9" * 5_000 + b"}", "not JSON"),
        (GOOD | {"strokes": [[[0, float("nan")]]]}, "not within"),
        (GOOD | {"strokes": [[[0, 10**300]]]}, "not a list of points"),
        (GOOD | {"strokes": "x"}, "there are no strokes"),
        (GOOD | {"pen": 0}, "not a width above 0"),
        (GOOD | {"label": "../7"}, "is not a number"),
        (GOOD | {"label": "77"}, "not one digit"),
        (GOOD | {"label": "٧"}, "is not a number"),
        (GOOD | {"label": 7}, "the label is 7"),
        (GOOD | {"label": "7" * 50_000}, "is not a number"),
        (GOOD | {"label": ["7"] * 20_000}, "not a text"),
        (GOOD | {"id": "7" * 50_000}, "not 32 hex digits"),
        (GOOD | {"pen": "7" * 50_000}, "not a width above 0"),
        (GOOD | {"writer": "../.."}, "no letter and no digit"),
        (GOOD | {"writer": ["anna"]}, "writer is ['anna'], not a text"),
        (GOOD | {"id": "../../../etc/passwd"}, "not 32 hex digits"),
        (GOOD | {"id": "AB" * 16}, "not 32 hex digits"),
        (GOOD | {"id": None}, "id is None"),
    ],
)
def test_nonsense_is_told_in_a_sentence(
    client: FlaskClient, tmp_path: Path, content: Any, sentence: str
) -> None:
    status, error = post(client, content)
    assert status == 400
    assert sentence in error
    assert "\n" not in error
    assert len(error) < 400
    assert names(tmp_path) == []


def test_names_lead_nowhere_else(client: FlaskClient, tmp_path: Path) -> None:
    for number, writer in enumerate(["../../x", "/etc/passwd", "a\0b", "..\\..\\x", "%2e%2e/x"]):
        assert post(client, GOOD | {"writer": writer, "id": f"{number:032x}"})[0] == 200
    assert {path.split("/")[0] for path in names(tmp_path)} == {"7"}
    assert len(names(tmp_path)) == 10
    # Paths in the address, too.
    for path in ("/../pyproject.toml", "/..%2f..%2fpyproject.toml", "/__init__.py", "//etc/passwd"):
        assert client.get(path, headers={"Host": HERE}).status_code in (404, 308)


def test_other_methods_and_kinds_are_refused(client: FlaskClient) -> None:
    headers = {"Host": HERE, "X-Token": TOKEN}
    for method in ("GET", "PUT", "DELETE", "TRACE"):
        answer = client.open("/api/drawing", method=method, headers=headers)
        assert answer.status_code in (404, 405)
        assert answer.get_json()["error"]
    # What a form of another site could send without asking.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        status, error = post(client, GOOD, Content_Type=kind)
        assert status == 415
        assert "send application/json" in error


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_drawing(
    client: FlaskClient, tmp_path: Path
) -> None:
    (tmp_path / "7").write_text("in the way")
    status, error = post(client, GOOD)
    assert status == 503  # on which the page tries again
    assert "could not be saved" in error
    (tmp_path / "7").unlink()
    assert post(client, GOOD)[0] == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    with serving("generator", "draw", folder / "digits", cache=folder) as server:
        yield server


def ask(server: Server, length: int, content: bytes) -> tuple[int, bytes]:
    """Announce a body of `length` and send some of it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", "/api/drawing")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("X-Token", server.address.partition("#")[2])
    connection.putheader("Content-Length", str(length))
    connection.endheaders(content)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_huge_body_is_refused_before_it_is_sent(server: Server) -> None:
    for length in (MAX_BODY + 1, 10**12):
        status, _ = ask(server, length, b"{")
        assert status == 413
    body = json.dumps(GOOD).encode()
    assert ask(server, len(body), body)[0] == 200


def raw(server: Server, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(content)
        return connection.recv(1000)


def test_a_huge_body_in_chunks_and_no_http_are_refused(server: Server) -> None:
    head = b"POST /api/drawing HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert b"413" in raw(server, head + 2 * chunk + b"1\r\nx\r\n").split(b"\r\n")[0]
    assert b"400" in raw(server, b"\x16\x03\x01\x02\x00 no http\r\n\r\n").split(b"\r\n")[0]
    body = json.dumps(GOOD).encode()
    assert ask(server, len(body), body)[0] == 200
