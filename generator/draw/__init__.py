"""`generator draw`: a page on which people draw the digits that they are asked for."""

from pathlib import Path
from typing import Any

from flask import Flask

from shards.errors import UserError
from shards.pages.app import Site, body, drawing_id, make_app, saving, text
from shards.pages.store import Kept, Store, slug
from shards.strokes import parse_drawing

STATIC = Path(__file__).parent / "static"


def draw_app(store: Store, rounds: int, site: Site) -> Flask:
    """Return the page's app, which saves `<digit>/<writer>_<n>.png` and `.json` into `store`.

    Args:
        store: The folder.
        rounds: How often a person is asked for each digit.
        site: Where it is served.
    """
    app = make_app(STATIC, site)

    @app.post("/api/writer")
    def writer() -> dict[str, Any]:
        name = slug(text(body(), "name"))
        return {"writer": name, "digits": store.count(name), "rounds": rounds}

    @app.post("/api/drawing")
    def drawing() -> dict[str, Any]:
        kept = _kept(body())
        with saving():
            picture = store.save(kept)
        return {"saved": picture.relative_to(store.folder).as_posix()}

    @app.post("/api/remove")
    def remove() -> dict[str, Any]:
        key = drawing_id(body())
        with saving():
            return {"removed": store.remove(key)}

    return app


def _kept(found: dict[str, Any]) -> Kept:
    """The digit in a request; UserError says what is wrong with it."""
    drawing, writer = parse_drawing(found), slug(text(found, "writer"))
    if len(drawing.label) != 1:
        raise UserError(f"the label is {drawing.label!r}, not one digit 0 to 9; give one")
    return Kept(drawing_id(found), f"{drawing.label}/{writer}", drawing, {"writer": writer})
