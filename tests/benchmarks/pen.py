"""Are pen digits like real ones? A network that has seen nothing else reads digits of people.

python -m tests.benchmarks.pen --mnist FOLDER --tablet digits.jsonl
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer

from generator.glyph import from_ink
from generator.pen import draw_digits
from generator.pen.render import ink, place
from generator.sources.folder import read_folder
from generator.sources.mnist import read_mnist
from shards.terminal import progress, run
from tests.benchmarks.digit_cnn import SIDE, read, train
from trainer.metrics import rate

PEN_WIDTH = 0.1  # of tablet strokes, in digit sizes

# Images uint8 (n, 28, 28), ink 20 px, its box centred; and their digits (n,).
Labelled = tuple[np.ndarray, np.ndarray]

app = typer.Typer(pretty_exceptions_enable=False)


def pen_digits(writers: int, seed: int) -> Labelled:
    """One of each digit by each model writer."""
    with progress("digits") as bar:
        drawn = bar.track(draw_digits(writers, 1, seed), total=10 * writers, description="pen")
        pairs = [(_frame(digit.image), digit.digit) for digit in drawn]
    return _stack(pairs)


def tablet_digits(path: Path) -> Labelled:
    """Digits kept as strokes: a JSON object with `label` and `strokes` on each line."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return _stack((_frame(_ink_strokes(r["strokes"])), r["label"]) for r in records)


def mnist_digits(folder: Path) -> Labelled:
    """MNIST's 10,000 test digits."""
    digits = read_mnist(folder, val=0)
    test = np.array([digits.splits[writer] == "test" for writer in digits.writers.tolist()])
    return _shrink(digits.images[test]), digits.labels[test]


def folder_digits(folder: Path) -> Labelled:
    """All digits of a folder of <digit>/<writer>_<n>.png."""
    digits = read_folder(folder, "unknown", val=0, test=0)
    return _shrink(digits.images), digits.labels


def _ink_strokes(strokes: list[list[list[float]]]) -> np.ndarray:
    """uint8 (64, 64), dark ink on white."""
    points = [np.array(stroke, np.float64).reshape(-1, 2) for stroke in strokes]
    size = np.ptp(np.concatenate(points), axis=0).max() or 1
    # A dot is a line of two equal points.
    lines = [np.repeat(p, 2, axis=0) if len(p) == 1 else p for p in points]
    return ink(*place([line / size for line in lines], PEN_WIDTH))


def _frame(image: np.ndarray) -> np.ndarray:
    """uint8 (64, 64), dark on white, to (28, 28), white on black."""
    glyph, _ = from_ink(np.float32(255) - image)
    frame: np.ndarray = _shrink(glyph[None])[0]
    return frame


def _shrink(glyphs: np.ndarray) -> np.ndarray:
    """uint8 (n, 56, 56) to (n, 28, 28), each pixel the mean of four."""
    means = glyphs.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4), dtype=np.float32)
    rounded: np.ndarray = np.rint(means).astype(np.uint8)
    return rounded


def _stack(pairs: Iterable[tuple[np.ndarray, int]]) -> Labelled:
    images, labels = zip(*pairs, strict=True)
    return np.stack(images), np.array(labels)


@app.command()
def bench(
    mnist: Annotated[Path, typer.Option(help="Folder of MNIST's idx files.")],
    tablet: Annotated[Path, typer.Option(help="JSON lines of digits as strokes.")],
    kensanata: Annotated[
        Path | None, typer.Option(help="Folder of <digit>/<writer>_<n>.png.")
    ] = None,
    writers: Annotated[int, typer.Option(min=13, help="Model writers to learn from.")] = 3000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over their digits.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of writers, weights and order.")] = 1000,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
) -> None:
    """Train on pen digits alone; print the share of real digits read, as a Markdown table."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    real = {"MNIST test": mnist_digits(mnist), "tablet strokes": tablet_digits(tablet)}
    if kensanata is not None:
        real["kensanata"] = folder_digits(kensanata)
    images, labels = pen_digits(writers, seed)
    network = train(images, labels, epochs, seed)
    typer.echo(
        f"trained on {len(images):,} pen digits, {epochs} epochs, seed {seed}\n\n"
        "| real digits | read right | 95 % interval | n |\n| --- | ---: | ---: | ---: |"
    )
    for name, (x, y) in real.items():
        right = rate(read(network, x) == y)
        interval = f"{right.low:.4f} to {right.high:.4f}"
        typer.echo(f"| {name} | {right.share:.4f} | {interval} | {right.count:,} |")


if __name__ == "__main__":
    run(app)()
