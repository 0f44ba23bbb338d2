"""Labels: strings of 1 to 5 digits and their array form."""

from collections.abc import Sequence
from reprlib import repr as short

import numpy as np

from shards.errors import UserError

MAX_DIGITS = 5


def check_label(label: str) -> str:
    """Return `label` if it is 1 to 5 digits 0-9 (leading zeros count); else raise UserError."""
    if not (label.isascii() and label.isdigit() and len(label) <= MAX_DIGITS):
        raise UserError(f"label {short(label)} is not a number of 1 to {MAX_DIGITS} digits 0-9")
    return label


def to_digits(labels: Sequence[str]) -> np.ndarray:
    """Labels as int8 (n, 5): digits left to right, -1 where absent; UserError for a bad label."""
    text = np.array([check_label(label) for label in labels], dtype=f"S{MAX_DIGITS}")
    chars = text.view(np.int8).reshape(-1, MAX_DIGITS)
    return np.where(chars == 0, np.int8(-1), chars - np.int8(ord("0")))


def to_labels(digits: np.ndarray) -> list[str]:
    """Return the label strings of `digits`, int8 (n, 5) as `to_digits` returns them."""
    chars = np.where(digits < 0, 0, digits + ord("0")).astype(np.uint8)
    return [str(label) for label in chars.view(f"S{MAX_DIGITS}")[:, 0].astype(str)]
