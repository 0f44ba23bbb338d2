"""Drawings that are no numbers: scribbles, signs and letters, as a child may draw them.

Everything comes from a seed, and no kind is meant to look like digits. A drawing is strokes 200 px
high, by a round pen of any width that stroke numbers are drawn with, brought in by `fit`. Kinds in
`UNSEEN` are none of `generator.doodles`, whatever a reader was trained on. Of `letters` all but Y
stand in its words before and after numbers, too, but never alone, as they are here.
"""

import numpy as np

from generator import doodles
from generator.doodles import Kind, Random
from generator.sources.strokes import Stroke
from shards.canvas import fit

# Capitals that are no digit in any hand (not B, D, G, I, J, L, O, P, Q, S, U, Z) and none of
# `doodles.LETTERS`, written in the same way.
LETTERS = {
    "E": ["40 00 06 46", "03 33"],
    "F": ["40 00 06", "03 33"],
    "T": ["00 40", "20 26"],
    "V": ["00 26 40"],
    "W": ["00 16 22 36 40"],
    "X": ["00 46", "40 06"],
    "Y": ["00 23 40", "23 26"],
}


def hatching(random: Random) -> list[Stroke]:
    """Lines across lines."""
    down, across = (_lines(random, random.integers(3, 7)) for _ in range(2))
    width = random.uniform(0.7, 2.5)
    return [line * (width, 1) for line in (*down, *(line[:, ::-1] for line in across))]


def dots(random: Random) -> list[Stroke]:
    """Dots anywhere."""
    return [point[None] for point in doodles.cloud(random, 5, 20)]


def letters(random: Random) -> list[Stroke]:
    """One to five of `LETTERS` in a row."""
    return doodles.in_a_row(LETTERS, random, least=1)


UNSEEN: dict[str, Kind] = {kind.__name__: kind for kind in (hatching, dots)}
KINDS: dict[str, Kind] = doodles.KINDS | UNSEEN | {"letters": letters}


def draw(kind: str, count: int, seed: int) -> np.ndarray:
    """Draw `count` of a kind, brought onto the canvas: uint8 (count, 32, 128)."""
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    return np.stack([fit(doodles.draw(KINDS[kind], random)) for _ in range(count)])


def _lines(random: Random, count: int) -> list[Stroke]:
    """Upright lines side by side in a box of about 1 x 1."""
    places = (np.arange(count) + random.uniform(-0.2, 0.2, count)) / (count - 1)
    ends = np.array([0.0, 1.0]) + random.uniform(-0.1, 0.1, (count, 2))
    return [np.array([[x, low], [x, high]]) for x, (low, high) in zip(places, ends, strict=True)]
