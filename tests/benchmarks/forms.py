"""How well are numbers read that stand on a form, among words, or that a stroke closes or rings?

python -m tests.benchmarks.forms data/tablet trainer/pretrained/nano-int8

Signs and lines are drawn with the number, four times as large, before `fit`: other code than the
generator's, and other shapes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import typer

from shards.canvas import FAINT, extents, fit
from shards.files import save_image
from shards.preview import sheet
from shards.reader import DataSet
from shards.terminal import run
from trainer.ctc import greedy_decode
from trainer.runtime import open_session
from trainer.runtime import run as run_session

U8 = npt.NDArray[np.uint8]
Random = np.random.Generator
Points = npt.NDArray[np.float64]


class Box(NamedTuple):
    """Where the number is in its drawing, px."""

    left: int
    top: int
    right: int
    bottom: int


LARGER = 4
ROUND, ACROSS = 120, 300  # px free above and below, and at the sides
PEN = (5, 12)  # px
RULE = 2  # px
BATCH = 250

app = typer.Typer(pretty_exceptions_enable=False)


def nothing(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """Only the number."""


def dash(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A long line after the number."""
    y = _inside(box, random)
    _line(drawing, [(box.right + 20, y), (box.right + random.uniform(80, 220), y)], pen)


def two_dashes(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """One above the other."""
    y, end = _inside(box, random), box.right + random.uniform(80, 220)
    for apart in (-10, 10):
        _line(drawing, [(box.right + 20, y + apart), (end, y + apart + random.uniform(-6, 6))], pen)


def wave(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A flourish after the number."""
    along = np.linspace(0, 1, 60)
    x = box.right + 20 + along * random.uniform(60, 180)
    swing = np.sin(2 * np.pi * random.uniform(1, 4) * along)
    _line(drawing, np.stack([x, _inside(box, random) + random.uniform(4, 14) * swing], 1), pen)


def point_and_dash(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """As in 20.-"""
    cv2.circle(drawing, (box.right + 16, box.bottom - pen), pen, 255, -1)
    y = _inside(box, random)
    _line(drawing, [(box.right + 34, y), (box.right + random.uniform(54, 94), y)], pen)


def underline(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A line under the number, wider than it."""
    y = box.bottom + random.uniform(6, 20)
    _line(drawing, [(box.left - 60, y), (box.right + 60, y + random.uniform(-4, 4))], RULE)


def baseline(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A ruled line that the digits stand on."""
    y = box.bottom - random.uniform(0, 0.12) * (box.bottom - box.top)
    _line(drawing, [(box.left - 60, y), (box.right + 60, y + random.uniform(-4, 4))], RULE)


def crossed(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A ruled line of half the number's brightness, right through it."""
    y = box.top + random.uniform(0.2, 0.8) * (box.bottom - box.top)
    ruled = np.zeros_like(drawing)
    _line(ruled, [(box.left - 60, y), (box.right + 60, y + random.uniform(-4, 4))], RULE)
    np.maximum(drawing, ruled // 2, out=drawing)


def side(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """The left side of a field, taller than the digits."""
    x = box.left - random.uniform(30, 90)
    _line(drawing, [(x, box.top - 40), (x + random.uniform(-4, 4), box.bottom + 40)], RULE)


def frame(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """All sides of a field."""
    cv2.rectangle(
        drawing, (box.left - 50, box.top - 30), (box.right + 50, box.bottom + 30), 255, RULE
    )


def dollar(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A $ before the number, as tall as it: two half circles and a line."""
    height = box.bottom - box.top
    x = round(box.left - height * random.uniform(0.5, 0.7))
    radius = height // 5
    for y, first in (
        (box.bottom - height // 2 - radius, 90),
        (box.bottom - height // 2 + radius, -90),
    ):
        cv2.ellipse(drawing, (x, y), (radius, radius), 0, first, first + 220, 255, pen, cv2.LINE_AA)
    _line(drawing, [(x, box.top), (x, box.bottom)], pen)


def hashes(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A # on both sides, two thirds as tall."""
    y, half = (box.top + box.bottom) / 2, (box.bottom - box.top) / 3
    for x in (box.left - 80, box.right + 70):
        for apart in (-10, 10):
            _line(drawing, [(x + apart - 6, y + half), (x + apart + 6, y - half)], 1 + pen // 2)
            _line(drawing, [(x - 28, y + apart), (x + 28, y + apart)], 1 + pen // 2)


def currency(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """Printed words before the number."""
    word = ("Fr.", "CHF", "EUR")[int(random.integers(3))]
    place = (box.left - round(random.uniform(230, 280)), box.bottom)
    cv2.putText(drawing, word, place, cv2.FONT_HERSHEY_SIMPLEX, 2.8, 255, pen, cv2.LINE_AA)


def word_before(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A scrawled word."""
    _word(drawing, box.left - 280, box.left - 60, box.bottom, pen, random)


def word_after(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """A scrawled word."""
    _word(drawing, box.right + 40, box.right + 220, box.bottom, pen, random)


def ring(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """An ellipse round the number."""
    x, y = (box.left + box.right) // 2, (box.top + box.bottom) // 2
    axes = (box.right - box.left) // 2 + 70, (box.bottom - box.top) // 2 + 45
    turn = random.uniform(-3, 3)
    cv2.ellipse(drawing, (x, y), axes, turn, 0, 360, 255, pen, cv2.LINE_AA)


def stamp(drawing: U8, box: Box, pen: int, random: Random) -> None:
    """Two circles of half the number's brightness, over its beginning."""
    stamped = np.zeros_like(drawing)
    x = box.left + round(random.uniform(-0.2, 0.3) * (box.right - box.left))
    for radius in (88, 110):
        cv2.circle(stamped, (x, box.top - 20 + radius // 2), radius, 255, RULE, cv2.LINE_AA)
    np.maximum(drawing, stamped // 2, out=drawing)


Kind = Callable[[U8, Box, int, Random], None]
KINDS: tuple[Kind, ...] = (
    *(nothing, dash, two_dashes, wave, point_and_dash, dollar, hashes),
    *(currency, word_before, word_after),
    *(underline, baseline, crossed, side, frame, ring, stamp),
)


def _inside(box: Box, random: Random) -> float:
    """A height in the middle of the number."""
    return float(box.top + random.uniform(0.3, 0.7) * (box.bottom - box.top))


def _word(drawing: U8, x: float, end: float, bottom: int, pen: int, random: Random) -> None:
    """Strokes of six points each, 80 px high and as wide as letters."""
    while x < end:
        steps = np.cumsum(random.uniform(-0.1, 0.5, 6)) * random.uniform(16, 48)
        _line(drawing, np.stack([x + steps, bottom - random.uniform(0, 80, 6)], axis=1), pen)
        x += steps.max() + random.uniform(8, 32)


def _line(drawing: U8, points: list[tuple[float, float]] | Points, pen: int) -> None:
    fixed = np.rint(np.array(points)).astype(np.int32)[:, None]
    cv2.polylines(drawing, [fixed], False, 255, pen, cv2.LINE_AA)


def drawn(image: U8, kind: Kind, random: Random) -> U8:
    """A canvas image as a large drawing with what `kind` adds, brought in by `fit`."""
    ink = image[extents(image >= FAINT)]
    large = cv2.resize(ink, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
    height, width = large.shape
    drawing = np.zeros((height + 2 * ROUND, width + 2 * ACROSS), np.uint8)
    drawing[ROUND : ROUND + height, ACROSS : ACROSS + width] = large
    box = Box(ACROSS, ROUND, ACROSS + width, ROUND + height)
    kind(drawing, box, int(random.integers(*PEN)), random)
    return fit(drawing)


@app.command()
def bench(
    data: Annotated[Path, typer.Argument(help="Data set of real numbers.")],
    readers: Annotated[list[Path], typer.Argument(help="Folders with logits.onnx.")],
    count: Annotated[int, typer.Option(min=1, help="Numbers, of two digits and more.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 1,
    out: Annotated[Path | None, typer.Option(help="PNG to show some of them.")] = None,
) -> None:
    """Print the share of numbers read exactly right with each addition, as a Markdown table."""
    numbers = DataSet(data)
    images, digits = numbers.gather("test", np.arange(numbers.count("test")))
    rows = np.flatnonzero((digits >= 0).sum(axis=1) >= 2)[:count]
    images, digits = images[rows], digits[rows]
    sessions = [open_session(reader / "logits.onnx") for reader in readers]
    typer.echo(f"| added | {' | '.join(reader.name for reader in readers)} |")
    typer.echo(f"| --- |{' ---: |' * len(readers)}")
    shown: list[tuple[U8, str]] = []
    for kind in KINDS:
        random = np.random.default_rng(seed)
        fitted = np.stack([drawn(image, kind, random) for image in images])
        shown += [(image, kind.__name__) for image in fitted[:6]]
        cells = []
        for session in sessions:
            parts = np.array_split(fitted, -(-len(fitted) // BATCH))
            logits = np.concatenate([run_session(session, part) for part in parts])
            cells.append(f"{greedy_decode(logits).equals(digits).mean():.3f}")
        typer.echo(f"| {kind.__name__.replace('_', ' ')} | {' | '.join(cells)} |")
    typer.echo(f"\n{len(rows):,} numbers of two to five digits of {numbers.where}, seed {seed}.")
    if out:
        save_image(sheet(*zip(*shown, strict=True), columns=6), out)


if __name__ == "__main__":
    run(app)()
