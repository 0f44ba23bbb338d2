"""Answers that children mix up: what a check of answers is measured on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from shards.labels import MAX_DIGITS, to_digits, to_labels

IS_RIGHT = "right"  # the kind of question whose answer is drawn


def _swapped(label: str) -> set[str]:
    return {
        label[:i] + label[i + 1] + label[i] + label[i + 2 :]
        for i in range(len(label) - 1)
        if label[i] != label[i + 1]
    }


def _one_for(one: str, other: str) -> Callable[[str], set[str]]:
    pairs = {one: other, other: one}
    return lambda label: {
        label[:i] + pairs[digit] + label[i + 1 :] for i, digit in enumerate(label) if digit in pairs
    }


def _off_by_one(label: str) -> set[str]:
    near = (int(label) - 1, int(label) + 1)
    return {str(value).zfill(len(label)) for value in near if 0 <= value < 10**MAX_DIGITS}


def _missing(label: str) -> set[str]:
    return {label[:i] + label[i + 1 :] for i in range(len(label)) if len(label) > 1}


def _doubled(label: str) -> set[str]:
    return {label[:i] + digit + label[i:] for i, digit in enumerate(label)}


KINDS: dict[str, Callable[[str], set[str]]] = {
    "digits swapped": _swapped,
    "6 for 9": _one_for("6", "9"),
    "1 for 7": _one_for("1", "7"),
    "off by one": _off_by_one,
    "a digit missing": _missing,
    "a digit doubled": _doubled,
}


def confusable(label: str, kind: str) -> list[str]:
    """Return the answers of 1 to 5 digits, in order, that `label` is mixed up with in this way."""
    return sorted(text for text in KINDS[kind](label) if len(text) <= MAX_DIGITS)


def questions(
    truth: NDArray[np.int8], seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.str_]]:
    """Ask of each number whether it is itself, and one confusable answer of each kind it has.

    `truth` is int8 (n, 5), -1 where absent. Returns the row that each question is about, (m,), the
    expected digits, (m, 5), and the kind, (m,): a key of `KINDS`, or "right".
    """
    random = np.random.default_rng(seed)
    asked = []
    for row, label in enumerate(to_labels(truth)):
        asked.append((row, label, IS_RIGHT))
        for kind in KINDS:
            if choices := confusable(label, kind):
                asked.append((row, choices[random.integers(len(choices))], kind))
    rows, labels, kinds = zip(*asked, strict=True)
    return np.array(rows), to_digits(labels), np.array(kinds)
