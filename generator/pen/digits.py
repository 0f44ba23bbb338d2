"""Sets of pen digits: drawn one by one, or saved as a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from generator.pen.render import ink
from generator.pen.style import Style, draw_style
from generator.pen.write import write_digit
from shards.errors import UserError
from shards.terminal import progress


@dataclass(frozen=True)
class PenDigit:
    """The n-th time that `writer` wrote `digit`: image uint8 (64, 64), dark ink on white."""

    digit: int
    writer: str
    n: int
    image: np.ndarray


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
    """Save the digits of `draw_digits` as `<folder>/<digit>/<writer>_<n>.png`; return how many."""
    digits = draw_digits(writers, per_digit, seed)
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
    total = writers * 10 * per_digit
    with progress("digits") as bar:
        for drawn in bar.track(digits, total=total, description="pen"):
            _save(drawn.image, folder / str(drawn.digit) / f"{drawn.writer}_{drawn.n}.png")
    return total


def _digits_of_writer(seed: int, writer: int, per_digit: int) -> Iterator[PenDigit]:
    style = draw_style(_rng(seed, writer))
    for digit in range(10):
        for n in range(per_digit):
            image = _draw(digit, style, _rng(seed, writer, digit, n))
            yield PenDigit(digit, f"pen-{writer:03d}", n, image)


def _draw(digit: int, style: Style, rng: np.random.Generator) -> np.ndarray:
    strokes = write_digit(digit, style, rng)
    size = style.size * np.exp(rng.normal(0, 0.06) * style.looseness)
    return ink(strokes, style.pen_width * np.exp(rng.normal(0, 0.06)), size)


def _rng(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def _save(image: np.ndarray, path: Path) -> None:
    part = path.with_suffix(".part")
    try:
        Image.fromarray(image).save(part, format="PNG", optimize=True)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
