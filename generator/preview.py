"""Pictures of what goes in and what comes out: digits of a bank, numbers of a recipe."""

import numpy as np
from PIL import Image

from generator.bank import Bank
from generator.engine import render
from generator.recipe import Recipe
from generator.sources.digits import BANK_SPLITS
from shards.labels import to_labels
from shards.preview import sheet


def preview_recipe(bank: Bank, recipe: Recipe, seed: int, count: int) -> Image.Image:
    """A sheet of `count` numbers from the training digits, with their labels."""
    samples = render(bank, "train", recipe, seed, 0, count)
    return sheet(samples.images, to_labels(samples.digits), columns=4)


def preview_bank(bank: Bank, per_digit: int) -> Image.Image:
    """A sheet with a row for each digit: `per_digit` of it, spread evenly over the bank.

    The caption is the writer's name.
    """
    names = np.concatenate([np.repeat(w.name, w.stop - w.first) for w in bank.writers])
    rows = []
    for digit in range(10):
        mine = np.flatnonzero(bank.labels == digit)
        rows.append(mine[np.linspace(0, len(mine) - 1, per_digit).round().astype(np.int64)])
    chosen = np.concatenate(rows)
    return sheet(bank.images[chosen], [str(n)[:14] for n in names[chosen]], columns=per_digit)


def counts(bank: Bank) -> str:
    """A table for a terminal: how many of each digit in each source, and its writers by split."""
    lines = ["source            " + "".join(f"{d:>7}" for d in range(10)) + "    total  writers"]
    for source in [s["name"] for s in bank.sources]:
        writers = [w for w in bank.writers if w.source == source]
        labels = np.concatenate([bank.labels[w.first : w.stop] for w in writers])
        each = "".join(f"{n:>7}" for n in np.bincount(labels, minlength=10))
        by_split = ", ".join(
            f"{sum(w.split == split for w in writers)} {split}" for split in BANK_SPLITS
        )
        lines.append(f"{source:<18}{each}{len(labels):>9}  {by_split}")
    return "\n".join(lines)
