"""Draws everything random about a run of numbers: labels, styles and digits, before any pixel."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.recipe import Range, Recipe
from generator.rng import coarse_uniforms
from shards.labels import MAX_DIGITS

F32 = npt.NDArray[np.float32]
Floats = TypeVar("Floats", npt.NDArray[np.float32], npt.NDArray[np.float64])
I64 = npt.NDArray[np.int64]

NUMBER_DRAWS = 24
DIGIT_DRAWS = 32
DRAWS = NUMBER_DRAWS + MAX_DIGITS * DIGIT_DRAWS
# Waves per 20 px, the height of a digit's ink: an elastic bend is slow, a tremor is fast.
ELASTIC_WAVES: Range = (0.4, 1.2)
TREMOR_WAVES: Range = (2.5, 5)
WAVE_LENGTH = 20.0
# Of a smaller height, a factor as `size`, thin grey lines fall between pixels: inked anew.
LEAST_GREY = 0.6
# Of a smaller one, breaks would be as large as the parts of a digit.
LEAST_BROKEN = 0.7
# x by column, x by row, y by column, y by row: see warp.Maps.
CURVES = 4

# Of `Numbers`, what places and distorts a digit.
_WILD = (
    "slant",
    "rise",
    "spacing",
    "rotation",
    "lean",
    "shift_x",
    "shift_y",
    "gap",
    "curve_height",
)


@dataclass(frozen=True)
class Numbers:
    """The random parameters of n numbers; angles in radians, lengths in px of the 28 px frame.

    Arrays are float32 (n,), or (n, 5) for each digit from the left; those of absent digits
    (label -1) mean nothing.
    """

    digits: npt.NDArray[np.int8]  # (n, 5), -1 where absent
    glyphs: I64  # (n, 5), rows of the bank, -1 where absent
    by_reference: npt.NDArray[np.bool_]
    written: npt.NDArray[np.bool_]
    uneven: npt.NDArray[np.bool_]
    broken: npt.NDArray[np.bool_]
    specked: npt.NDArray[np.bool_]
    doodled: npt.NDArray[np.bool_]
    marked: npt.NDArray[np.bool_]
    strayed: npt.NDArray[np.bool_]
    ruled: npt.NDArray[np.bool_]
    scanned: npt.NDArray[np.bool_]
    aspect: F32
    slant: F32
    rise: F32
    spacing: F32
    inked_anew: npt.NDArray[np.bool_]
    pen: F32
    contrast: F32
    softness: F32
    anywhere: npt.NDArray[np.bool_]
    size: F32
    place: F32  # (n, 2), 0 to 1: where in the free room, across and down
    rotation: F32  # (n, 5), this and all below
    scale: F32
    shift_x: F32
    shift_y: F32
    lean: F32
    gap: F32
    curve_height: F32  # (n, 5, 4, 2): amplitude of the bend and of the tremor
    curve_waves: F32  # (n, 5, 4, 2): rad / px
    curve_phase: F32  # (n, 5, 4, 2)

    def __len__(self) -> int:
        return len(self.digits)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """bool (n, 5): which places hold a digit."""
        return self.digits >= 0

    def take(self, rows: I64) -> Self:
        """The numbers of these rows, in this order."""
        fields = dataclasses.fields(self)
        return dataclasses.replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields})

    def calmer(self) -> Self:
        """The same numbers, bent, turned, moved and scaled half as much."""
        halves = {name: getattr(self, name) / 2 for name in _WILD}
        roots = {"scale": np.sqrt(self.scale), "aspect": np.sqrt(self.aspect)}
        return dataclasses.replace(self, **halves, **roots)


def draw(bank: Bank, split: str, recipe: Recipe, seed: int, start: int, count: int) -> Numbers:
    """Draw the samples `start` to `start + count` of the stream `seed`.

    Sample i depends on (bank, split, recipe, seed, i) alone.

    Raises:
        UserError: The split of the bank lacks a digit.
    """
    return from_uniforms(bank, split, recipe, coarse_uniforms(seed, start, count, DRAWS))


def from_uniforms(bank: Bank, split: str, recipe: Recipe, u: F32) -> Numbers:
    """Make numbers of uniform ones, float32 (n, DRAWS) in [0, 1); raises what `draw` does."""
    count = len(u)
    # In the order in which they are drawn: adding a draw at the end keeps the others.
    number = iter(u[:, :NUMBER_DRAWS].T)
    digit = iter(np.moveaxis(u[:, NUMBER_DRAWS:].reshape(count, MAX_DIGITS, DIGIT_DRAWS), 2, 0))
    labels = draw_labels(
        recipe.digits, recipe.leading_zeros, next(number), next(number), next(digit)
    )
    glyphs = bank.pick(
        split,
        labels,
        one_writer=next(number) < recipe.one_writer,
        source=next(number),
        writer=next(number),
        digit=next(digit),
    )
    curves = (count, MAX_DIGITS, CURVES)
    bend, tremor = between(recipe.elastic, next(digit)), between(recipe.tremor, next(digit))
    share, bend_waves, tremor_waves, bend_phase, tremor_phase = (
        np.stack([next(digit) for _ in range(CURVES)], axis=2) for _ in range(5)
    )
    per_px = 2 * np.pi / WAVE_LENGTH
    numbers = Numbers(
        digits=labels,
        glyphs=glyphs,
        aspect=between(recipe.aspect, next(number)),
        slant=np.deg2rad(between(recipe.slant, next(number))),
        rise=np.deg2rad(between(recipe.rise, next(number))),
        spacing=between(recipe.spacing, next(number)),
        inked_anew=next(number) < recipe.reink,
        # Thin pens are as frequent as thick ones of twice, four times ... the width.
        pen=np.exp(between((math.log(recipe.pen[0]), math.log(recipe.pen[1])), next(number))),
        contrast=between(recipe.contrast, next(number)),
        softness=between(recipe.softness, next(number)),
        anywhere=next(number) < recipe.anywhere,
        size=between(recipe.size, next(number)),
        place=np.stack([next(number), next(number)], axis=1),
        by_reference=next(number) < recipe.reference,
        written=next(number) < recipe.written,
        uneven=next(number) < recipe.uneven,
        specked=next(number) < recipe.specked,
        doodled=next(number) < recipe.doodled,
        marked=next(number) < recipe.marked,
        strayed=next(number) < recipe.strayed,
        rotation=np.deg2rad(between(recipe.rotation, next(digit))),
        scale=between(recipe.scale, next(digit)),
        shift_x=between(recipe.shift, next(digit)),
        shift_y=between(recipe.shift, next(digit)) + between(recipe.baseline, next(digit)),
        lean=np.deg2rad(between(recipe.lean, next(digit))),
        gap=between(recipe.gap, next(digit)),
        curve_height=np.stack(
            [bend[..., None] * (2 * share - 1), np.broadcast_to(tremor[..., None], curves)], axis=3
        ),
        curve_waves=per_px
        * np.stack(
            [between(ELASTIC_WAVES, bend_waves), between(TREMOR_WAVES, tremor_waves)], axis=3
        ),
        curve_phase=2 * np.pi * np.stack([bend_phase, tremor_phase], axis=3),
        # A number's own draws are used up: these are of its first three digits.
        ruled=(last := next(digit))[:, 0] < recipe.ruled,
        scanned=last[:, 1] < recipe.scanned,
        broken=last[:, 2] < recipe.broken,
    )
    numbers.inked_anew[numbers.anywhere & (numbers.size < LEAST_GREY)] = True
    numbers.broken[numbers.anywhere & (numbers.size < LEAST_BROKEN)] = False
    return numbers


def between(limits: Range, u: Floats) -> Floats:
    """Uniform numbers `u` in [0, 1), brought between the limits."""
    low, high = limits
    return low + (high - low) * u


def draw_labels(
    lengths: Range, leading_zeros: float, length: Floats, zero: Floats, digit: Floats
) -> npt.NDArray[np.int8]:
    """Draw labels of these lengths, each as likely, from uniform numbers in [0, 1).

    The first digit of a longer number is 1 to 9, except in the share `leading_zeros`.

    Args:
        lengths: Fewest and most digits, 1 to 5.
        leading_zeros: 0 to 1.
        length: (n,), decides how many digits.
        zero: (n,), decides whether the first may be 0.
        digit: (n, 5), decides the digits.

    Returns:
        int8 (n, 5), -1 where absent.
    """
    low, high = (int(limit) for limit in lengths)
    counts = low + np.floor(length * (high - low + 1)).astype(np.int64)
    labels = np.floor(digit * 10)
    no_zero = (counts > 1) & (zero >= leading_zeros)
    labels[no_zero, 0] = 1 + np.floor(digit[no_zero, 0] * 9)
    labels[np.arange(MAX_DIGITS) >= counts[:, None]] = -1
    return labels.astype(np.int8)
