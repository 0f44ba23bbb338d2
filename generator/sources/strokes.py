"""Digits as pen strokes: JSON lines, one digit each, or a folder that was drawn into."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from shards.errors import UserError
from shards.pictures import DIGITS, pictures_in, strokes_beside, writer_of
from shards.strokes import Stroke, parse_strokes, read_drawing

LABELS = [str(digit) for digit in range(10)]


@dataclass(frozen=True)
class StrokeDigit:
    """One digit as written: the strokes in order, each float64 (points, 2), x and y, y down."""

    line: int  # of the file, or its place in the folder, from 1; the digit's id
    label: int
    writer: str
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class StrokeDigits:
    """The digits of one file or folder."""

    name: str
    licence: str
    sha256: str  # of what they were read from
    digits: tuple[StrokeDigit, ...]

    @cached_property
    def hands(self) -> dict[str, dict[int, list[StrokeDigit]]]:
        """The digits of each writer by label."""
        hands: dict[str, dict[int, list[StrokeDigit]]] = {}
        for digit in self.digits:
            hands.setdefault(digit.writer, {}).setdefault(digit.label, []).append(digit)
        return hands

    def writers(self) -> list[tuple[str, int, int]]:
        """Each run of lines by one writer: her name, its first line and the one after its last."""
        runs = [(name, list(run)) for name, run in groupby(self.digits, lambda d: d.writer)]
        return [(name, run[0].line, run[-1].line + 1) for name, run in runs]


def read_strokes(path: Path, name: str, licence: str) -> StrokeDigits:
    """Read `{"label": 7, "writer": "anna", "strokes": [[[x, y], ...], ...]}`, one on each line.

    A label is 0 to 9, as a number or a string; so is a writer. Other fields are left alone, and
    so are empty lines. Of a folder, read all digits whose strokes lie beside their pictures, as
    `generator draw` saves them; they are numbered by writer, digit and name.

    Args:
        path: The file, UTF-8, or the folder.
        name: What the manifest calls it.
        licence: Kept with it.

    Raises:
        UserError: No such file, no digit in it, or a line or drawing that is no digit: it is named.
    """
    if path.is_dir():
        return _read_folder(path, name, licence)
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; name one with a digit on each line") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text ({error}); save it anew") from None
    digits = [_read(line, n, path) for n, line in enumerate(lines, 1) if line.strip()]
    if not digits:
        raise UserError(f"{path} holds no digit; it needs one on each line, as JSON")
    return StrokeDigits(name, licence, hashlib.sha256(content).hexdigest(), tuple(digits))


def _read_folder(folder: Path, name: str, licence: str) -> StrokeDigits:
    found = [
        (writer_of(picture), digit, drawn)
        for digit in DIGITS
        for picture in pictures_in(folder / str(digit))
        if (drawn := strokes_beside(picture)) is not None
    ]
    if not found:
        raise UserError(f"{folder} holds no strokes; draw some with `generator draw {folder}`")
    digest, digits = hashlib.sha256(), []
    for line, (writer, digit, path) in enumerate(sorted(found), 1):
        digest.update(path.read_bytes())
        digits.append(StrokeDigit(line, digit, writer, read_drawing(path).strokes))
    return StrokeDigits(name, licence, digest.hexdigest(), tuple(digits))


def _read(line: str, number: int, path: Path) -> StrokeDigit:
    try:
        return _parse(line, number)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}, line {number}: {error}; mend or remove the line") from None


def _parse(line: str, number: int) -> StrokeDigit:
    """The digit of a line; ValueError says what is wrong with it."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise ValueError("this is not an object with label, writer and strokes")
    label, writer, strokes = (found.get(name) for name in ("label", "writer", "strokes"))
    if not isinstance(label, (int, str)) or str(label) not in LABELS:
        raise ValueError(f"the label is {label!r}, not a digit 0 to 9")
    if not isinstance(writer, (int, str)) or writer == "":
        raise ValueError(f"the writer is {writer!r}, not a name or a number")
    return StrokeDigit(number, int(label), str(writer), parse_strokes(strokes))
