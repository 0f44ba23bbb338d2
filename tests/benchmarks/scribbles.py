"""How sure is a reader of what is no number? The fewer drawings pass, the better.

python -m tests.benchmarks.scribbles data/child data/tablet
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import typer

from shards.canvas import fit
from shards.errors import UserError
from shards.files import save_image
from shards.labels import MAX_DIGITS
from shards.preview import sheet
from shards.reader import DataSet
from shards.terminal import run
from tests.benchmarks.non_numbers import KINDS, draw
from trainer.check_graph import ASK_AGAIN, RIGHT, WRONG
from trainer.metrics import COVERAGE, calibration
from trainer.predict import Read, by_onnx, read_split
from trainer.read import DEFAULT
from trainer.runtime import ask, open_session

app = typer.Typer(pretty_exceptions_enable=False)


def passing(read: Read, drawings: np.ndarray, threshold: float) -> float:
    """Share of the drawings, uint8 (n, 32, 128), that are read with at least this confidence."""
    return float((read(drawings).confidence >= threshold).mean())


def threshold_of(read: Read, data: DataSet, count: int) -> float:
    """Return the confidence that 95 % of the test numbers of `data` reach."""
    numbers, truth = read_split(read, data, "test", count)
    return calibration(numbers.confidence, numbers.equals(truth)).threshold


def blank_is_refused() -> bool:
    """Whether `fit` says that an empty sheet has nothing on it."""
    try:
        fit(np.full((100, 300), 255, np.uint8))
    except UserError:
        return True
    return False


def verdicts(session: onnxruntime.InferenceSession, drawn: dict[str, np.ndarray], seed: int) -> str:
    """A table of what is said to drawings where a random number of 1 to 5 digits is expected."""
    random = np.random.default_rng(seed)
    said = {}
    for kind, images in drawn.items():
        expected = random.integers(0, 10, (len(images), MAX_DIGITS)).astype(np.int8)
        lengths = random.integers(1, MAX_DIGITS + 1, len(images))
        expected[np.arange(MAX_DIGITS) >= lengths[:, None]] = -1
        said[kind] = ask(session, images, expected)[:, 0]
    lines = [f"| {' | '.join(['said', *drawn, 'all'])} |", f"| --- |{' ---: |' * (len(drawn) + 1)}"]
    for name, verdict in (("right", RIGHT), ("ask again", ASK_AGAIN), ("wrong", WRONG)):
        shares = [float((each == verdict).mean()) for each in said.values()]
        cells = [f"{share:.3f}" for share in [*shares, float(np.mean(shares))]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


@app.command()
def bench(
    data: Annotated[list[Path], typer.Argument(help="Data sets of real numbers.")],
    reader: Annotated[Path, typer.Option(help="Reader or logits file.")] = DEFAULT,
    count: Annotated[int, typer.Option(min=1, help="Drawings of each kind.")] = 1000,
    numbers: Annotated[int, typer.Option(min=1, help="Numbers of each set, at most.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawings.")] = 1,
    out: Annotated[Path | None, typer.Option(help="PNG to show some of them.")] = None,
    checker: Annotated[
        Path | None, typer.Option(help="Checker file, to ask about random answers, too.")
    ] = None,
) -> None:
    """Print which share of drawings that are no numbers passes as one, as a Markdown table.

    A drawing passes at a confidence that 95 % of the numbers of a set reach, and at 0.5 and 0.9.
    """
    drawn = {kind: draw(kind, count, seed) for kind in KINDS}
    if out:
        shown = [(image, kind) for kind, images in drawn.items() for image in images[:8]]
        images, captions = zip(*shown, strict=True)
        save_image(sheet(images, captions, columns=8), out)
    read = by_onnx(reader)
    limits = {
        f"{COVERAGE:.0%} of {DataSet(f).manifest.name}": threshold_of(read, DataSet(f), numbers)
        for f in data
    }
    typer.echo(f"| numbers kept | confidence from | {' | '.join(KINDS)} | all |")
    typer.echo(f"| --- |{' ---: |' * (len(KINDS) + 2)}")
    for kept, limit in [*limits.items(), ("", 0.5), ("", 0.9)]:
        shares = [passing(read, images, limit) for images in drawn.values()]
        cells = [f"{share:.3f}" for share in [*shares, float(np.mean(shares))]]
        typer.echo(f"| {kept} | {limit:.3f} | {' | '.join(cells)} |")
    if checker:
        typer.echo("\n" + verdicts(open_session(checker, ("answer",)), drawn, seed))
    blank = "refused by fit()" if blank_is_refused() else "not refused"
    typer.echo(f"\n{count:,} drawings of each kind, seed {seed}; a blank sheet is {blank}.")


if __name__ == "__main__":
    run(app)()
