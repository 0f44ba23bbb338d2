"""What can be wrong with a picture of a digit."""

from dataclasses import dataclass
from pathlib import Path

KINDS = {
    "misplaced": "not named <digit>/<writer>_<n>.png, so that no bank takes it",
    "unreadable": "no picture, or a damaged one",
    "empty": "nothing is drawn on it",
    "alpha": "its ink is in the alpha channel alone: other programs see one colour",
    "polarity": "dark on light among light on dark, or the other way round",
    "cropped": "its ink runs into the edge of the picture",
    "dirt": "ink beside the digit, which makes it small in its frame",
    "duplicate": "the same picture again",
    "turned": "its label fits better when it is mirrored, transposed or upside down",
    "mislabelled": "it looks like another digit, as others write it",
}
# What a bank is better off without; the others are worth a look.
BAD = ("misplaced", "unreadable", "empty", "duplicate", "turned", "mislabelled")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one file.

    `score` ranks the findings of a kind: more is worse.
    """

    path: Path
    kind: str
    reason: str
    score: float = 1.0
