"""The server's side of a page: its files, and who may ask it for what.

A page of another site can make a browser send requests here. It is refused by the token, which
stands in the address of the page behind the `#` and comes with each request of our own script; by
`Origin`, where the browser sends one; and, where its name was pointed at this machine, by `Host`.
"""

import ipaddress
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, jsonify, request, send_file
from werkzeug.exceptions import HTTPException

from shards.errors import UserError

MAX_BODY = 1 << 17  # bytes of a request: thousands of points
SHARED = Path(__file__).parent / "static"
# By name, since what a system says of .js differs.
_KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
_ID = re.compile(r"[0-9a-f]{32}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Site:
    """Where a page is served, and to whom.

    Attributes:
        host: Address or name of this machine that is listened on.
        port: 1 to 65535.
        token: What our own script sends with each request.
    """

    host: str
    port: int
    token: str


def make_app(static: Path, site: Site) -> Flask:
    """Return an app that serves `index.html` and the other files of `static` and of all pages.

    Paths under /api/ are the caller's to add; they need the token. An error is answered as
    {"error": sentence}: a UserError by 400, whatever else a route lets through by 500.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    files = {path.name: path for folder in (SHARED, static) for path in folder.iterdir()}

    @app.before_request
    def guard() -> None:
        asked = request.headers.get("Host", "")
        if not _is_ours(asked, site):
            abort(403, "this address is not served here; open the one that the terminal shows")
        if request.headers.get("Origin", f"http://{asked}") != f"http://{asked}":
            abort(403, "the request comes from another site; open the page itself")
        if request.path.startswith("/api/"):
            sent = request.headers.get("X-Token", "")
            if not secrets.compare_digest(sent.encode(), site.token.encode()):
                abort(403, "the token is missing or old; open the address that the terminal shows")

    @app.get("/", defaults={"name": "index.html"})
    @app.get("/<name>")
    def page(name: str) -> Response:
        if name not in files:
            abort(404, "there is no such page; open the address that the terminal shows")
        return send_file(files[name], mimetype=_KINDS[files[name].suffix])

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @app.errorhandler(UserError)
    def bad(error: UserError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    return app


def body() -> dict[str, Any]:
    """Return the JSON object of the request; UserError where it is none, 415 for another kind."""
    if request.mimetype != "application/json":
        abort(415, "the request is no JSON; send application/json")
    try:
        found = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise UserError(f"the request is not JSON ({error}); send an object") from error
    if not isinstance(found, dict):
        raise UserError("the request is not an object; send one")
    return found


def text(found: dict[str, Any], name: str) -> str:
    """Return a field that is a text; UserError where it is missing or something else."""
    value = found.get(name)
    if not isinstance(value, str):
        raise UserError(f"{name} is {short(value)}, not a text; give one")
    return value


def drawing_id(found: dict[str, Any]) -> str:
    """Return the id of a drawing, 32 hex digits; UserError for another."""
    value = text(found, "id")
    if not _ID.fullmatch(value):
        raise UserError("the id is not 32 hex digits; make one of them")
    return value


@contextmanager
def saving() -> Iterator[None]:
    """Answer 503, on which a page tries again, where what is done in it cannot be written."""
    try:
        yield
    except UserError as error:
        abort(503, str(error))
    except OSError as error:
        abort(503, f"the drawing could not be saved ({error.strerror}); mend the folder")


def _is_ours(asked: str, site: Site) -> bool:
    """Whether Host has our port, and an address, `localhost` or the name that is served."""
    try:
        parts = urlsplit(f"//{asked}")
        if (parts.port or 80) != site.port or parts.hostname is None:
            return False
        if parts.hostname in ("localhost", site.host.lower()):
            return True
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return False
    return True
