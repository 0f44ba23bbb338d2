"""What a game would say to a number that was drawn as an answer."""

from pathlib import Path

import numpy as np

from trainer.check import Checker
from trainer.check_export import read_thresholds
from trainer.facts import read_card
from trainer.files import CHECKER, INT8_CHECKER, INT8_READER, READER
from trainer.read import Reading

RIGHT_FROM = 0.5  # the answer that was hoped for is believed sooner
WRONG_FROM = 0.9
RIGHT, WRONG, AGAIN = "right", "wrong", "ask again"
_CHECKERS = {READER: CHECKER, INT8_READER: INT8_CHECKER}


class Judge:
    """Says `right`, `wrong` or `ask again`, and by which `rule`.

    Where a checker lies beside the reader it decides, as in a game; else the reading does.
    """

    def __init__(self, reader: Path) -> None:
        """Look beside the file `reader`; UserError where what lies there is no checker."""
        path = reader.with_name(_CHECKERS.get(reader.name, CHECKER))
        self._checker = Checker(path) if path.is_file() else None
        if self._checker:
            known = read_thresholds(read_card(path), path)
            self.rule = (
                f"Right: the expected number, with a probability of {known.right_from:.0%} or "
                f"more. Wrong: that of the expected number is {known.wrong_to:.1%} or less, and "
                "another is legible. Else one asks again. Zeros in front count."
            )
        else:
            self.rule = (
                f"Right: the expected number, at least {RIGHT_FROM:.0%} sure. Wrong: another, at "
                f"least {WRONG_FROM:.0%} sure. Else one asks again. Zeros in front do not count."
            )

    def verdict(self, image: np.ndarray, reading: Reading, expected: str) -> str:
        """Judge an answer of 1 to 5 digits, of which `image`, uint8 (32, 128), was read."""
        if self._checker:
            return self._checker.check_canvas(image, expected).verdict
        return judge(reading, expected)


def judge(reading: Reading, expected: str) -> str:
    """Return `right`, `wrong` or `ask again` for an answer of 1 to 5 digits.

    Right is the expected number, read with a confidence of 0.5 or more, wrong another one, with 0.9
    or more; for whatever lies between, and where nothing is read, one asks again. Zeros in front do
    not count.
    """
    if reading.fault:
        return AGAIN
    if reading.value == int(expected):
        return RIGHT if reading.confidence >= RIGHT_FROM else AGAIN
    return WRONG if reading.confidence >= WRONG_FROM else AGAIN
