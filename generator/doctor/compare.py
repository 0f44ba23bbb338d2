"""What pictures of digits show beside each other and a bank: twins, turns and wrong labels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.doctor.finding import Finding
from generator.doctor.picture import Picture
from generator.doctor.shape import describe, distances, twins

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

COMPARED = 20_000  # digits of the bank, at most
NOBODY = -1  # the writers of the bank: none of the folder's
# So much nearer to another digit than to its own is a digit that looks mislabelled.
MISLABELLED = 1.1
# So much nearer to its own, turned, is a picture that is turned; for a whole writer less will do.
TURNED, ALL_TURNED = 1.5, 1.1
# Digits that no turn leaves alike, and how many of them judge a writer.
ONE_WAY, ENOUGH = (2, 3, 4, 5, 7), 5
TURNS: dict[str, Callable[[U8], U8]] = {
    "transposed": lambda glyphs: glyphs.transpose(0, 2, 1),
    "mirrored": lambda glyphs: glyphs[:, :, ::-1],
    "upside down": lambda glyphs: glyphs[:, ::-1, ::-1],
}


@dataclass(frozen=True)
class _Digits:
    glyphs: U8  # (n, 56, 56)
    described: F32  # (n, 392)
    labels: U8  # (n,)
    writers: I64  # (n,), numbered

    @classmethod
    def of_pictures(cls, pictures: list[Picture]) -> Self:
        glyphs = np.stack([picture.glyph for picture in pictures])
        labels = np.array([picture.label for picture in pictures], np.uint8)
        names = np.array([picture.writer for picture in pictures])
        writers = np.unique(names, return_inverse=True)[1].astype(np.int64)
        return cls(glyphs, describe(glyphs), labels, writers)

    @classmethod
    def of_bank(cls, bank: Bank) -> Self:
        """At most `COMPARED` digits, spread over it evenly."""
        rows = np.unique(np.linspace(0, len(bank) - 1, min(len(bank), COMPARED)).astype(np.int64))
        glyphs = np.asarray(bank.images)[rows]
        return cls(glyphs, describe(glyphs), bank.labels[rows], np.full(len(rows), NOBODY))


def compare(pictures: list[Picture], bank: Bank) -> Iterator[Finding]:
    """Find duplicates, turned pictures and those that look mislabelled.

    What a digit looks like is learnt from the folder's other writers and the bank; how it stands,
    from the bank alone, since a whole folder may be turned.
    """
    digits, known = _Digits.of_pictures(pictures), _Digits.of_bank(bank)
    for row, first in twins(digits.described, digits.glyphs).items():
        label = digits.labels[first]
        across = f", there labelled {label}" if label != digits.labels[row] else ""
        reason = f"the same picture as {pictures[first].path}{across}"
        yield Finding(pictures[row].path, "duplicate", reason)
        if across:  # nobody knows which of the labels is right
            reason = (
                f"the same picture as {pictures[row].path}, there labelled {digits.labels[row]}"
            )
            yield Finding(pictures[first].path, "duplicate", reason)
    far = distances(
        digits.described,
        digits.writers,
        np.concatenate([digits.described, known.described]),
        np.concatenate([digits.labels, known.labels]),
        np.concatenate([digits.writers, known.writers]),
    )
    # A hand's own habit is no mistake: her other digits of a label speak for it, too.
    each = np.arange(len(pictures))
    near = distances(digits.described, each, digits.described, digits.labels, each)
    own = np.minimum(far, near)[each, digits.labels]
    others, ratios = _nearest_other(far, own, digits.labels)
    gains = _gains(digits, known)
    turned = dict(_turned(gains, ratios, digits))
    for row, how in turned.items():
        gain = float(gains[how][row])
        reason = f"looks {how}: {gain:.2f} times nearer to a bank's {digits.labels[row]} that way"
        yield Finding(pictures[row].path, "turned", reason, gain)
    for row in np.flatnonzero(ratios > MISLABELLED).tolist():
        if row not in turned:
            reason = f"looks like a {others[row]}: {ratios[row]:.2f} times nearer to it"
            yield Finding(pictures[row].path, "mislabelled", reason, float(ratios[row]))


def _nearest_other(far: F32, own: F32, labels: U8) -> tuple[I64, F32]:
    """The nearest other digit of each, and how many times nearer it is than its own."""
    rest = far.copy()
    rest[np.arange(len(far)), labels] = np.inf
    return rest.argmin(axis=1), np.asarray(own / rest.min(axis=1))


def _gains(digits: _Digits, known: _Digits) -> dict[str, F32]:
    """How many times nearer to the bank's digits of its label each picture is, for each turn."""

    def away(described: F32) -> F32:
        far = distances(described, digits.writers, known.described, known.labels, known.writers)
        return np.asarray(far[np.arange(len(far)), digits.labels])

    upright = away(digits.described)
    return {
        name: np.asarray(upright / away(describe(np.ascontiguousarray(turn(digits.glyphs)))))
        for name, turn in TURNS.items()
    }


def _turned(gains: dict[str, F32], ratios: F32, digits: _Digits) -> Iterator[tuple[int, str]]:
    """Rows that are turned, and how: all of a writer's, or one that looks like another digit."""
    judges = np.isin(digits.labels, ONE_WAY)
    for writer in np.unique(digits.writers):
        mine = digits.writers == writer
        judging = mine & judges
        if judging.sum() >= ENOUGH:
            medians = {name: float(np.median(gain[judging])) for name, gain in gains.items()}
            how = max(medians, key=lambda name: medians[name])
            if medians[how] > ALL_TURNED:
                yield from ((row, how) for row in np.flatnonzero(mine).tolist())
                continue
        for row in np.flatnonzero(judging & (ratios > 1)).tolist():
            how = max(gains, key=lambda name: float(gains[name][row]))
            if gains[how][row] > TURNED:
                yield row, how
