"""How well are numbers read off paper: scanned, photographed, ruled, rather than drawn on a screen?

python -m tests.benchmarks.paper STROKES.jsonl --reader FILE --out SHEET.png
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import typer

from generator.rng import uniforms
from generator.sample import between, draw_labels
from generator.sources.strokes import read_strokes
from generator.strokes import DIGIT_DRAWS, HEIGHT, NUMBER_DRAWS, StrokeStream, ink, lay_out
from shards.canvas import fit
from shards.files import save_image
from shards.labels import MAX_DIGITS
from shards.preview import sheet
from shards.terminal import run
from trainer.read import DEFAULT, Reader

F32 = npt.NDArray[np.float32]
Random = np.random.Generator
PEN = (0.03, 0.12)  # of a digit's height: a pencil to a felt tip
SIZE = (0.25, 0.6)  # of the drawing, in the picture
MARGINS = (5, 60)  # px of the drawing on each side
NOISE = 2.0  # grey levels of any scan
SHOWN = 12

app = typer.Typer(pretty_exceptions_enable=False)


def even(paper: F32, ink: F32, random: Random) -> None:
    """One colour."""


def noise(paper: F32, ink: F32, random: Random) -> None:
    """A cheap camera's: 16 grey levels."""
    paper += random.normal(0, 16, paper.shape)


def light(paper: F32, ink: F32, random: Random) -> None:
    """Falls from one side."""
    across, down = random.uniform(-80, 80), random.uniform(-60, 60)
    y, x = np.mgrid[: paper.shape[0], : paper.shape[1]] / np.array(paper.shape)[:, None, None]
    paper += across * (x - 0.5) + down * (y - 0.5)


def texture(paper: F32, ink: F32, random: Random) -> None:
    """Stripes, as on a cheque."""
    turn, waves = random.uniform(0, np.pi), random.uniform(0.3, 1.2)
    y, x = np.mgrid[: paper.shape[0], : paper.shape[1]]
    stripes = np.sin((x * np.cos(turn) + y * np.sin(turn)) * waves) > 0.3
    paper -= stripes * random.uniform(15, 45)


def blotches(paper: F32, ink: F32, random: Random) -> None:
    """Soft shadows."""
    paper += _slow(paper, random.normal(0, 14, (4, 9)))


def ruled(paper: F32, ink: F32, random: Random) -> None:
    """A line below the number."""
    row = len(paper) - int(random.integers(2, 12))
    paper[row : row + 2] -= random.uniform(60, 150)


def specks(paper: F32, ink: F32, random: Random) -> None:
    """One to four, anywhere."""
    for _ in range(random.integers(1, 5)):
        y, x = (int(random.integers(0, side - 1)) for side in paper.shape)
        paper[y : y + 2, x : x + 2] -= random.uniform(60, 150)


def dirt(paper: F32, ink: F32, random: Random) -> None:
    """Every fiftieth pixel is dark, or has lost its ink."""
    paper[random.random(paper.shape) < 0.02] = random.uniform(40, 120)
    ink[random.random(paper.shape) < 0.02] = 0


def photocopied(paper: F32, ink: F32, random: Random) -> None:
    """Black and white, the paper sown with specks of a few pixels."""
    rough = cv2.GaussianBlur(random.normal(0, 1, paper.shape), (0, 0), 1.2)
    paper[...] = 255
    paper[rough > 2.2 * rough.std()] = 0
    np.around(ink, out=ink)


def shining_through(paper: F32, ink: F32, random: Random) -> None:
    """What is written on the other side, at a third of the strength."""
    paper *= 1 - 0.33 * np.roll(ink[:, ::-1], int(random.integers(-20, 20)), axis=1)


def faded(paper: F32, ink: F32, random: Random) -> None:
    """A pen that runs dry: down to a fifth of its strength."""
    ink *= np.clip(_slow(ink, random.uniform(0.2, 1, (3, 8))), 0.2, 1)


def broken(paper: F32, ink: F32, random: Random) -> None:
    """Three thin lines without ink across the number, each a third of the height long."""
    height, width = ink.shape
    for _ in range(3):
        centre = np.array([random.uniform(0.1, 0.9) * width, random.uniform(0.2, 0.8) * height])
        turn = random.uniform(0, np.pi)
        half = np.array([np.cos(turn), np.sin(turn)]) * height / 6
        start, end = (
            tuple(np.rint(point).astype(int).tolist()) for point in (centre - half, centre + half)
        )
        cv2.line(ink, start, end, 0, max(1, height // 30))


def _slow(like: F32, knots: npt.NDArray[np.float64]) -> F32:
    """A field that changes slowly from knot to knot, of the shape of a picture."""
    return np.asarray(
        cv2.resize(knots.astype(np.float32), like.shape[::-1], interpolation=cv2.INTER_CUBIC)
    )


Kind = Callable[[F32, F32, Random], None]
KINDS: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (
        *(even, noise, light, texture, blotches, ruled, specks),
        *(dirt, photocopied, shining_through, faded, broken),
    )
}


def drawings(stream: StrokeStream, count: int) -> Iterator[tuple[str, F32]]:
    """Labels and ink, 0 to 1, of numbers by one hand and one pen each, about 200 px high."""
    u = uniforms(stream.seed, 0, count, NUMBER_DRAWS + MAX_DIGITS * DIGIT_DRAWS)
    length, zero, writer, pen = u[:, :NUMBER_DRAWS].T
    each = u[:, NUMBER_DRAWS:].reshape(count, MAX_DIGITS, DIGIT_DRAWS)
    look = stream.look
    labels = draw_labels(look.digits, look.leading_zeros, length, zero, each[..., 0])
    for label, who, width, u_digits in zip(labels, writer, pen, each, strict=True):
        there = label[label >= 0]
        digits = stream._pick(there, who, u_digits[: len(there), 1])
        pen_px = between(PEN, width) * HEIGHT
        layers = ink(lay_out(digits, look, pen_px, u_digits[: len(there), 2:5]), pen_px)
        yield "".join(map(str, there)), layers.max(axis=0).astype(np.float32) / 255


def on_paper(drawn: F32, kind: str, random: Random) -> npt.NDArray[np.uint8]:
    """A picture of the drawing in dark ink on a kind of paper, with margins on all sides."""
    down, up, left, right = random.integers(*MARGINS, 4)
    wide = np.pad(drawn, ((down, up), (left, right)))
    scale = random.uniform(*SIZE)
    strength = cv2.resize(wide, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = np.full(strength.shape, random.uniform(180, 250), np.float32)
    KINDS[kind](paper, strength, random)
    picture = paper * (1 - strength) + random.uniform(20, 110) * strength
    picture += random.normal(0, NOISE, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


@app.command()
def bench(
    strokes: Annotated[Path, typer.Argument(help="Digits as pen strokes, one JSON object a line.")],
    reader: Annotated[list[Path], typer.Option(help="Reader file; more to compare.")] = [DEFAULT],  # noqa: B006
    count: Annotated[int, typer.Option(min=1, help="Numbers on each kind of paper.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the numbers and the paper.")] = 1,
    out: Annotated[Path | None, typer.Option(help="PNG to show some, as fitted.")] = None,
) -> None:
    """Print which share of numbers is read exactly right on each kind of paper."""
    stream = StrokeStream(read_strokes(strokes, strokes.stem, "unknown"), seed)
    readers, shown = [Reader(file) for file in reader], []
    typer.echo(f"| paper | {' | '.join(map(str, reader))} |")
    typer.echo(f"| --- |{' ---: |' * len(reader)}")
    for kind in KINDS:
        random = np.random.default_rng(seed)
        right = np.zeros(len(readers))
        for number, (label, drawn) in enumerate(drawings(stream, count)):
            image = fit(on_paper(drawn, kind, random))
            texts = [read.read_canvas(image).text for read in readers]
            right += [text == label for text in texts]
            if number < SHOWN:
                shown.append((image, f"{kind}: {texts[0]}"))
        name = kind.replace("_", " ")
        typer.echo(f"| {name} | {' | '.join(f'{share:.3f}' for share in right / count)} |")
    typer.echo(f"\n{count:,} numbers on each, seed {seed}.")
    if out:
        images, captions = zip(*shown, strict=True)
        save_image(sheet(images, captions, columns=6), out)


if __name__ == "__main__":
    run(app)()
