"""What each parameter of a recipe does: a row for each, from the low end of its range to the high.

All else stands still in its row: at its default, or in the middle of a range that leaves that out.
"""

import dataclasses
from typing import Any

import numpy as np
from PIL import Image

from generator.bank import Bank
from generator.engine import render
from generator.recipe import Range, Recipe
from shards.errors import UserError
from shards.preview import sheet

STEPS = 7
# Without which a parameter does nothing.
_NEEDS: dict[str, dict[str, Any]] = {
    "pen": {"reink": 1.0},
    "softness": {"reink": 1.0},
    "size": {"anywhere": 1.0},
    "strayed": {"anywhere": 1.0, "size": (0.6, 0.6)},
    "ruled": {"anywhere": 1.0, "size": (0.6, 0.6)},
    "scanned": {"anywhere": 1.0, "size": (0.6, 0.6)},
    "overlap": {"spacing": (-20, -20)},
}
# What fit() takes back where it is the same for all digits of a number: shown by ever wider ranges.
_UNEVEN = ("scale", "baseline", "shift", "gap")
_NO_SHARES = ("overlap",)  # single numbers that are not the share of numbers that have something
_UNSEEN = ("leading_zeros",)  # decides labels, not looks
_DEFAULTS = Recipe()


def sweep(bank: Bank, recipe: Recipe, seed: int) -> Image.Image:
    """Draw a sheet with a row of `STEPS` pictures for each parameter that `recipe` varies.

    A range goes from low to high on one and the same number; where the parameter is a share of the
    numbers, the row has different numbers of that share. Raises UserError where nothing varies.
    """
    values = {
        field.name: getattr(recipe, field.name)
        for field in dataclasses.fields(recipe)
        if field.name not in _UNSEEN and not isinstance(getattr(recipe, field.name), str)
    }
    still = dataclasses.replace(recipe, **{name: _still(name, v) for name, v in values.items()})
    images, captions = [], []
    for name, value in values.items():
        for step, (changes, caption) in enumerate(_row(name, value)):
            looks = dataclasses.replace(still, **_NEEDS.get(name, {}) | {name: changes})
            start = step if _is_share(name, value) else 0
            images.append(render(bank, "train", looks, seed, start, 1).images[0])
            captions.append(caption)
    if not images:
        raise UserError(f"recipe '{recipe.name}' varies nothing; take one that does, like child")
    return sheet(images, captions, columns=STEPS)


def _is_share(name: str, value: Any) -> bool:
    return not isinstance(value, tuple) and name not in _NO_SHARES


def _still(name: str, value: Any) -> Any:
    if _is_share(name, value):
        return float(value == 1)
    if not isinstance(value, tuple):
        return value
    if name == "digits":
        return (min(3, value[1]),) * 2
    return (_quiet(name, value),) * 2


def _quiet(name: str, limits: Range) -> float:
    usual: float = getattr(_DEFAULTS, name)[0]
    return usual if limits[0] <= usual <= limits[1] else sum(limits) / 2


def _row(name: str, value: Any) -> list[tuple[Any, str]]:
    """The settings of a row with their captions; none for what does not vary."""
    if _is_share(name, value):
        return [(1.0, f"{name}, {value:g} of numbers")] * STEPS if 0 < value < 1 else []
    low, high = value if isinstance(value, tuple) else (0.0, value)
    if low == high:
        return []
    if name in _UNEVEN:
        middle = _quiet(name, (low, high))
        ends = np.linspace((middle, middle), (low, high), STEPS).tolist()
        return [((a, b), f"{name} {a:.2g} to {b:.2g}") for a, b in ends]
    steps = np.linspace(low, high, STEPS).tolist()
    if name == "digits":
        steps = [round(step) for step in steps]
    return [((s, s) if isinstance(value, tuple) else s, f"{name} {s:.3g}") for s in steps]
