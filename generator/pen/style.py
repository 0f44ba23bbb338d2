"""A writer's hand: what stays the same from digit to digit."""

from dataclasses import dataclass, replace

import numpy as np

from generator.pen.allographs import ALLOGRAPHS

ONE_ASPECT = 0.75  # of the hand's aspect: the flag of a wide 1 would make it a 7


@dataclass(frozen=True)
class Style:
    """How one writer writes. Lengths are in digit heights, angles as tangents.

    slant: lean to the right. aspect: width factor. size: height factor against other writers.
    rotation: turn of the whole digit, clockwise. rounding: how far corners are cut.
    tremor: unsteadiness (rms). pen_width: of the ink. balance: above 1 makes the upper part small.
    taper: above 0 makes the top wider than the bottom. overshoot: how far strokes run on past their
    end (below 0: stop short). hook: length of the little hooks at stroke ends. distortion: strength
    of the writer's own bending of every shape. looseness: how much the digits of one writer differ,
    about 1. fickleness: chance that a digit is written in another shape than usual.
    allographs: per digit the index of the usual shape. hand: keys the writer's own bending.
    """

    slant: float
    aspect: float
    size: float
    rotation: float
    rounding: float
    tremor: float
    pen_width: float
    balance: float
    taper: float
    overshoot: float
    hook: float
    distortion: float
    looseness: float
    fickleness: float
    allographs: tuple[int, ...]
    hand: int


def draw_allograph(digit: int, rng: np.random.Generator) -> int:
    """Draw the index of a shape of `digit` by the shapes' weights."""
    weights = np.array([shape.weight for shape in ALLOGRAPHS[digit]])
    return int(rng.choice(len(weights), p=weights / weights.sum()))


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a writer, from a child learning to write (youth near 1) to a fast adult (near 0)."""
    youth = rng.beta(1.2, 1.8)
    slant_spread = 0.3 - 0.1 * youth
    return Style(
        slant=float(np.clip(rng.normal(0.2 - 0.1 * youth, slant_spread), -0.45, 0.75)),
        aspect=float(np.clip(np.exp(rng.normal(0.08, 0.24)), 0.65, 1.5)),
        size=float(np.exp(rng.normal(0.1 * youth, 0.12))),
        rotation=float(rng.normal(0, 0.05)),
        rounding=float(rng.uniform(0.012, 0.05 - 0.015 * youth)),
        tremor=float(rng.gamma(2.0, 0.002 + 0.004 * youth)),
        pen_width=float(np.clip(np.exp(rng.normal(np.log(0.11), 0.42)), 0.045, 0.24)),
        balance=float(np.exp(rng.normal(0, 0.13))),
        taper=float(rng.normal(0, 0.12)),
        overshoot=float(rng.normal(0.01, 0.025)),
        hook=float(max(0.0, rng.normal(-0.01, 0.035))),
        distortion=float(rng.uniform(0.03, 0.07 + 0.02 * youth)),
        looseness=float(np.exp(rng.normal(-0.1 + 0.4 * youth, 0.25))),
        fickleness=float(rng.beta(1.0, 12.0)),
        allographs=tuple(draw_allograph(digit, rng) for digit in range(10)),
        hand=int(rng.integers(2**31)),
    )


def vary(style: Style, digit: int, rng: np.random.Generator) -> Style:
    """Draw the form of one `digit`: the writer's own, a little different each time."""
    loose = style.looseness
    aspect = style.aspect * (ONE_ASPECT if digit == 1 else 1)
    return replace(
        style,
        slant=style.slant + rng.normal(0, 0.05) * loose,
        aspect=aspect * np.exp(rng.normal(0, 0.09) * loose),
        rotation=style.rotation + rng.normal(0, 0.04) * loose,
        rounding=style.rounding * np.exp(rng.normal(0, 0.2) * loose),
        balance=style.balance * np.exp(rng.normal(0, 0.08) * loose),
        taper=style.taper + rng.normal(0, 0.05) * loose,
    )
