"""A folder that drawings are saved into, each as a picture with its strokes beside it."""

import json
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from shards.errors import UserError
from shards.files import refuse_file, replacing, save_image
from shards.strokes import Drawing, ink

SIDE = 128  # px of the longer side of a picture's ink
MARGIN = 4  # px of paper around it, so that none of it looks cut off
_LONGEST = 40  # characters of a writer's name


def slug(name: str) -> str:
    """Return a writer's name as files have it: lower case, letters and digits, `-` for the rest.

    Raises UserError where no letter or digit is in it.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()[:_LONGEST]
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in plain)
    if not any(character.isalnum() for character in kept):
        raise UserError(f"the name {name[:_LONGEST]!r} has no letter and no digit; give one")
    return "-".join(kept.split())


@dataclass(frozen=True)
class Kept:
    """A drawing as a page sends it.

    Attributes:
        id: Made by the page, 32 hex digits: the same drawing sent twice is one.
        stem: Where it goes in the folder, without its number: `7/anna` or `407`.
        drawing: What was drawn.
        facts: Fields of its JSON beside those of the drawing.
    """

    id: str
    stem: str
    drawing: Drawing
    facts: dict[str, str]


class Store:
    """Drawings saved as `<stem>_<n>.png`, dark ink on white, and `<stem>_<n>.json`.

    n counts from 1. A drawing that is sent again, to a server started anew, too, is written to the
    same two files. Each is there whole or not at all; strokes count only where their picture is,
    which is written after them and removed before them.
    """

    def __init__(self, folder: Path) -> None:
        """Find the drawings in `folder`, which need not be there yet; UserError for a file."""
        refuse_file(folder)
        self.folder = folder
        self._lock = threading.Lock()
        self._places: dict[str, Path] = {}
        for path in sorted([*folder.glob("*.json"), *folder.glob("*/*.json")]):
            if (key := _id_of(path)) is not None:
                self._places[key] = path

    def save(self, kept: Kept) -> Path:
        """Write a drawing and return its picture; under another stem than before, move it.

        Raises UserError where the disk is full, OSError where the folder cannot be written.
        """
        with self._lock:
            old = self._places.get(kept.id)
            stays = old is not None and old.with_name(_stem(old)) == self.folder / kept.stem
            path = old if old is not None and stays else self._reserve(kept.stem)
            try:
                picture = _write(kept, path)
            except BaseException:
                if path != old:
                    _remove(path)
                raise
            self._places[kept.id] = path
            if old is not None and old != path:
                _remove(old)
            return picture

    def remove(self, key: str) -> bool:
        """Remove the drawing of this id; whether there was one."""
        with self._lock:
            path = self._places.get(key)
            if path is None:
                return False
            _remove(path)
            del self._places[key]
            return True

    def count(self, writer: str) -> int:
        """How many digits a writer, as `slug` names her, has in the folder."""
        return sum(1 for picture in self.folder.glob("[0-9]/*.png") if _stem(picture) == writer)

    def _reserve(self, stem: str) -> Path:
        """Take the next number that is free; the file is empty until it is written."""
        first = self.folder / stem
        first.parent.mkdir(parents=True, exist_ok=True)
        there = [path for path in first.parent.iterdir() if _stem(path) == first.name]
        numbers = [int(n) for path in there if (n := path.stem.rpartition("_")[2]).isdecimal()]
        number = max(numbers, default=0) + 1
        while True:
            path = first.with_name(f"{first.name}_{number}.json")
            try:
                path.open("x").close()
            except FileExistsError:  # another server's
                number += 1
            else:
                return path


def _stem(path: Path) -> str:
    return path.stem.rpartition("_")[0]


def _write(kept: Kept, path: Path) -> Path:
    drawing, picture = kept.drawing, path.with_suffix(".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    strokes = [stroke.tolist() for stroke in drawing.strokes]
    fields = {"label": drawing.label, **kept.facts, "pen": drawing.pen, "strokes": strokes}
    page = np.pad(ink(drawing.strokes, drawing.pen, SIDE), MARGIN)
    with replacing(path) as file:
        file.write(json.dumps({**fields, "id": kept.id}, ensure_ascii=False).encode() + b"\n")
    save_image(Image.fromarray(255 - page), picture)
    return picture


def _remove(path: Path) -> None:
    path.with_suffix(".png").unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _id_of(path: Path) -> str | None:
    """The id in a file that a server has written; None for one left empty, or of another kind."""
    try:
        found: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    key = found.get("id") if isinstance(found, dict) else None
    return key if isinstance(key, str) else None
