"""`trainer demo`: a page that reads what is drawn on it, stroke by stroke."""

import base64
import io
import time
from collections.abc import Sequence
from pathlib import Path
from reprlib import repr as short
from typing import Any

import numpy as np
from flask import Flask
from PIL import Image

from shards.canvas import HEIGHT, WIDTH, fit
from shards.errors import UserError
from shards.labels import check_label
from shards.pages.app import Site, body, drawing_id, make_app, saving, text
from shards.pages.store import Kept, Store
from shards.strokes import ink, parse_drawing, parse_pen, parse_strokes
from trainer.demo.verdict import WRONG_FROM, Judge
from trainer.files import READER
from trainer.read import DEFAULT, Reader
from trainer.shipped import FOLDER, find_file

STATIC = Path(__file__).parent / "static"
SIDE = 512  # px of the longer side of a drawing's ink, before it is fitted


def demo_app(store: Store, models: dict[str, Path], site: Site) -> Flask:
    """Return the page's app; drawings that are kept go into `store` as `<label>_<n>.png`.

    Args:
        store: The folder for them.
        models: The reader files to choose from, by the name that the page shows.
        site: Where it is served.

    Raises UserError where a file is no reader.
    """
    app = make_app(STATIC, site)
    opened = {name: Reader(path) for name, path in models.items()}
    judges = {name: Judge(path) for name, path in models.items()}
    for reader in opened.values():
        reader.read_canvas(np.zeros((HEIGHT, WIDTH), np.uint8))  # the first run is the slowest

    @app.get("/api/models")
    def choices() -> dict[str, Any]:
        known = [
            {"name": n, "kilobytes": round(p.stat().st_size / 1e3), "rule": judges[n].rule}
            for n, p in models.items()
        ]
        return {"models": known, "sure_from": WRONG_FROM}

    @app.post("/api/read")
    def read() -> dict[str, Any]:
        found = body()
        strokes, pen = parse_strokes(found.get("strokes")), parse_pen(found.get("pen"))
        model, expected = text(found, "model"), text(found, "expected")
        if model not in opened:
            raise UserError(f"there is no reader {short(model)}; choose {', '.join(opened)}")
        if expected:
            check_label(expected)
        return _read(opened[model], judges[model], ink(strokes, pen, SIDE), expected)

    @app.post("/api/keep")
    def keep() -> dict[str, Any]:
        found = body()
        drawing = parse_drawing(found)
        kept = Kept(drawing_id(found), drawing.label, drawing, {})
        with saving():
            return {"kept": store.save(kept).name}

    return app


def readers(more: Sequence[Path] = ()) -> dict[str, Path]:
    """The reader files to choose from: those that ship, by their names, the default first.

    Then `more`, each a file, its folder or the name of one that ships.
    """
    found = sorted(FOLDER.glob(f"*/{READER}"), key=lambda path: (path != DEFAULT, path))
    shipped = {path.parent.name: path for path in found}
    return shipped | {str(path): find_file(path) for path in more}


def _read(reader: Reader, judge: Judge, drawing: np.ndarray, expected: str) -> dict[str, Any]:
    """Fit and read a drawing, uint8 (height, width), and time both, in ms."""
    start = time.perf_counter()
    image = fit(drawing)
    fitted = time.perf_counter()
    reading = reader.read_canvas(image)
    end = time.perf_counter()
    digits = zip(reading.text, reading.digit_confidences, strict=True)
    return {
        "text": reading.text,
        "confidence": reading.confidence,
        "digits": [{"digit": digit, "confidence": share} for digit, share in digits],
        "fault": reading.fault,
        "verdict": judge.verdict(image, reading, expected) if expected else "",
        "picture": _data_url(image),
        "fit_ms": 1e3 * (fitted - start),
        "read_ms": 1e3 * (end - fitted),
    }


def _data_url(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
