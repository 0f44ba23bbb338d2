"""Sets of pen digits: drawn one by one, or saved as a folder."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from generator.pen.render import ink, place
from generator.pen.style import Style, draw_style
from generator.pen.write import write_digit
from shards.errors import UserError
from shards.files import make_folder
from shards.terminal import progress


@dataclass(frozen=True)
class PenDigit:
    """The n-th time that `writer` wrote `digit`.

    strokes: each float64 (points, 2), x and y in pixels of the picture, y down. pen: its width.
    """

    digit: int
    writer: str
    n: int
    strokes: list[np.ndarray]
    pen: float

    @property
    def image(self) -> np.ndarray:
        """Its picture, uint8 (64, 64), dark ink on white."""
        return ink(self.strokes, self.pen)


def draw_digits(writers: int, per_digit: int, seed: int) -> Iterator[PenDigit]:
    """Draw `per_digit` times each digit in the hand of each of `writers`.

    Every image depends on (seed, writer, digit, n) alone. Raises UserError where a count is below
    1 or the seed below 0.
    """
    for name, value, least in (
        ("writers", writers, 1),
        ("per-digit", per_digit, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise UserError(f"{name} is {value}, but must be at least {least}; give a larger one.")
    return (
        drawn for writer in range(writers) for drawn in _digits_of_writer(seed, writer, per_digit)
    )


def save_digits(folder: Path, writers: int, per_digit: int, seed: int) -> int:
    """Save the digits of `draw_digits` and return how many they are.

    Each is a picture, `<folder>/<digit>/<writer>_<n>.png`, and its strokes, the same with `.json`.

    Raises:
        UserError: As `draw_digits`, or there is another picture or drawing of one of these names,
            which stays; a file is where the folder is to be.
    """
    digits = draw_digits(writers, per_digit, seed)
    for digit in range(10):
        make_folder(folder / str(digit))
    total = writers * 10 * per_digit
    with progress("digits") as bar:
        for drawn in bar.track(digits, total=total, description="pen"):
            _save(drawn, folder / str(drawn.digit) / f"{drawn.writer}_{drawn.n}.png")
    return total


def _digits_of_writer(seed: int, writer: int, per_digit: int) -> Iterator[PenDigit]:
    style = draw_style(_rng(seed, writer))
    for digit in range(10):
        for n in range(per_digit):
            strokes, pen = _draw(digit, style, _rng(seed, writer, digit, n))
            yield PenDigit(digit, f"pen-{writer:03d}", n, strokes, pen)


def _draw(digit: int, style: Style, rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    strokes = write_digit(digit, style, rng)
    size = style.size * np.exp(rng.normal(0, 0.06) * style.looseness)
    return place(strokes, style.pen_width * np.exp(rng.normal(0, 0.06)), size)


def _rng(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def _save(drawn: PenDigit, picture: Path) -> None:
    strokes = [_few_points(stroke).tolist() for stroke in drawn.strokes]
    fields = {"label": str(drawn.digit), "pen": round(drawn.pen, 2), "strokes": strokes}
    text = json.dumps(fields, separators=(",", ":")) + "\n"
    png = io.BytesIO()
    Image.fromarray(drawn.image).save(png, format="PNG", optimize=True)
    # The strokes first: without a picture they are no digit.
    _write(picture.with_suffix(".json"), text.encode())
    _write(picture, png.getvalue())


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        if path.read_bytes() != content:
            raise UserError(
                f"{path} is there and is not what this command draws: it is of another seed, "
                "version or hand; take an empty folder, or remove it"
            )
        return
    # Not by shards.files: to flush each of some thousand files would take minutes.
    part = path.with_suffix(".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _few_points(stroke: np.ndarray) -> np.ndarray:
    """Leave out the points whose lack moves a stroke by less than a tenth of a pixel."""
    kept: np.ndarray = cv2.approxPolyDP(stroke.astype(np.float32)[:, None], 0.1, closed=False)
    return kept[:, 0].astype(np.float64).round(1)
