"""What a game would say to a number that was drawn as an answer."""

from trainer.read import Reading

RIGHT_FROM = 0.5  # the answer that was hoped for is believed sooner
WRONG_FROM = 0.9
RIGHT, WRONG, AGAIN = "right", "wrong", "ask again"


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
