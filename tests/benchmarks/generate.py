"""How fast numbers are rendered into memory.

python -m tests.benchmarks.generate --bank data/bank.h5
"""

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer

from generator.bank import Bank
from generator.embedded import embedded_bank
from generator.engine import render
from generator.recipe import Recipe, preset
from tests.benchmarks import augment, pil_reference
from tests.benchmarks.peers import Peers, compare
from tests.benchmarks.table import Row, as_markdown
from tests.benchmarks.timing import Task

# About a tenth of a second each.
RENDERED, BY_PEER = 2048, 512
ROUNDS = 9
# What the libraries below do, too: digits of the bank bent, inked and set side by side.
BANKED = [
    f"{name}=0"
    for name in ("written", "reference", "uneven", "specked", "doodled", "marked", "strayed")
]


def render_rows(bank: Bank, rounds: int = ROUNDS) -> list[Row]:
    """Rates on one core, arrays in memory, each round other numbers."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    digits = pil_reference.load_digits(bank, "train")
    arrays = [np.stack([np.asarray(image) for image in of_class]) for of_class in digits]

    def by_pil(number: int) -> int:
        return len(pil_reference.render(digits, number + 1, BY_PEER)[0])

    pil: Peers = {"PIL, the reference's steps": by_pil}
    others = {
        "OpenCV: one remap a digit": augment.by_opencv(arrays, BY_PEER),
        "albumentations: affine, elastic, compose": augment.by_albumentations(arrays, BY_PEER // 8),
        "torchvision v2: affine, elastic, compose": augment.by_torchvision(arrays, BY_PEER // 8),
    }
    n = f"{rounds} x {RENDERED:,} / {BY_PEER}"
    n_of_others = f"{n} ({BY_PEER // 8} by albumentations, torchvision)"
    rows = []
    child = preset("child")
    for name, recipe, peers, n_of, goal in (
        ("recipe `reference`", preset("reference"), pil, n, "20x"),
        ("recipe `child`, whole", child, pil, n, ""),
        ("recipe `child`, banked digits", child.override(BANKED), others, n_of_others, "10x"),
    ):
        stage = f"render, {name}, one core"
        rows += compare(stage, _render(bank, recipe), peers, rounds, n_of, goal)
    return rows


def _render(bank: Bank, recipe: Recipe) -> Task:
    def task(number: int) -> int:
        start = (number + 1) * RENDERED
        return len(render(bank, "train", recipe, seed=1, start=start, count=RENDERED))

    return task


def main(
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
) -> None:
    """Measure rendering, and print it as a Markdown table."""
    typer.echo(as_markdown(render_rows(Bank((bank or embedded_bank()).resolve()))))


if __name__ == "__main__":
    typer.run(main)
