"""How fast numbers are made: rendered into memory, and built into shards on disk.

python -m tests.benchmarks.generate --bank data/bank.h5
"""

from pathlib import Path
from typing import Annotated

import cv2
import typer

from generator.bank import Bank
from generator.embedded import embedded_bank
from generator.engine import render
from generator.recipe import preset
from tests.benchmarks import pil_reference
from tests.benchmarks.build import COUNT, COUNT_BY_PIL, build_rows
from tests.benchmarks.table import Row, as_markdown
from tests.benchmarks.timing import Task, median_rates

# About a tenth of a second each.
RENDERED, RENDERED_BY_PIL = 2048, 512
ROUNDS = 9
RECIPES = ("reference", "child")


def render_rows(bank: Bank, rounds: int = ROUNDS) -> list[Row]:
    """Rates on one core, arrays in memory, each round other numbers."""
    cv2.setNumThreads(1)
    digits = pil_reference.load_digits(bank, "train")

    def by_pil(number: int) -> int:
        return len(pil_reference.render(digits, number + 1, RENDERED_BY_PIL)[0])

    rates = median_rates({"PIL": by_pil} | {name: _render(bank, name) for name in RECIPES}, rounds)
    n = f"{rounds} x {RENDERED:,} / {RENDERED_BY_PIL:,}"
    peer = "PIL, the reference's steps"
    return [
        Row(f"render, recipe `{name}`, one core", "images/s", rates[name], rates["PIL"], peer, n)
        for name in RECIPES
    ]


def _render(bank: Bank, name: str) -> Task:
    recipe = preset(name)

    def task(number: int) -> int:
        start = (number + 1) * RENDERED
        return len(render(bank, "train", recipe, seed=1, start=start, count=RENDERED))

    return task


def main(
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Images of each build.")] = COUNT,
    count_by_pil: Annotated[int, typer.Option(min=1, help="By its baseline.")] = COUNT_BY_PIL,
    workers: Annotated[int, typer.Option(min=1, help="Processes of a build.")] = 2,
) -> None:
    """Measure rendering and building, and print them as a Markdown table."""
    path = (bank or embedded_bank()).resolve()
    rows = build_rows(path, workers, count, count_by_pil)
    typer.echo(as_markdown(render_rows(Bank(path)) + rows))


if __name__ == "__main__":
    typer.run(main)
