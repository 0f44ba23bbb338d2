"""A check of answers as a decision: whom it believes, whom it refuses, whom it asks again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shards.errors import UserError
from shards.reader import DataSet
from shards.terminal import progress
from trainer.check_graph import ANSWER, ASK_AGAIN, LEGIBLE, RIGHT, WRONG, Thresholds
from trainer.confusable import IS_RIGHT, KINDS, questions
from trainer.likelihood import answers
from trainer.metrics import Rate, rate
from trainer.predict import chunks
from trainer.runtime import ask, run

FALSE_ACCEPTS, FALSE_REJECTS = 0.002, 0.005  # what the thresholds may let pass on val
RIGHT_FROM = tuple(np.round(np.arange(0.5, 1, 0.01), 2).tolist())
_ROUND = [float(f"{digit}e-{exponent}") for exponent in range(6, 0, -1) for digit in range(1, 10)]
WRONG_TO = tuple(number for number in _ROUND if number <= 0.5)  # 1e-06, 2e-06, ... 0.4, 0.5

# Images uint8 (n, 32, 128), of which of them each question is, (m,), and the expected digits, int8
# (m, 5), to answers, float32 (m, 4).
Ask = Callable[[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Asked:
    """What was asked, and how probable it was found.

    `kinds` (m,) are those of `confusable.questions`, `verdicts` (m,) 1, 0 or -1; `probabilities`
    (m,) are of the expected answer, `readings` (m,) of what was read.
    """

    kinds: NDArray[np.str_]
    verdicts: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    readings: NDArray[np.float32]

    @property
    def of_right(self) -> NDArray[np.bool_]:
        """Which of the expected answers are drawn, (m,)."""
        right: NDArray[np.bool_] = self.kinds == IS_RIGHT
        return right


@dataclass(frozen=True)
class Decisions:
    """Shares of the expected answers of one kind that were called right, wrong, or neither."""

    right: Rate
    ask_again: Rate
    wrong: Rate


def by_file(session: onnxruntime.InferenceSession) -> Ask:
    """Ask a checker file."""
    return lambda images, rows, expected: ask(session, images[rows], expected)


def by_logits(
    session: onnxruntime.InferenceSession, thresholds: Thresholds = Thresholds(0.5, 0.5)
) -> Ask:
    """Answer by the logits of a file and NumPy.

    One image at a time, as a checker does: a quantized LSTM heeds the others of a batch.
    """

    def answer(
        images: NDArray[np.uint8], rows: NDArray[np.int64], expected: NDArray[np.int8]
    ) -> NDArray[np.float32]:
        logits = np.concatenate([run(session, image[None]) for image in images])
        return answers(logits[rows], expected, thresholds)

    return answer


def ask_split(asks: Ask, data: DataSet, split: str, images: int) -> Asked:
    """Ask of the first `images` of a split whether they are right, and confusable wrong answers."""
    kinds, found = [np.empty(0, np.str_)], [np.empty((0, ANSWER), np.float32)]
    with progress("images") as bar:
        task = bar.add_task(f"asking of {split}", total=min(images, data.count(split)))
        for chunk in chunks(data, split, images):
            pictures, truth = data.gather(split, chunk)
            rows, expected, kind = questions(truth, seed=int(chunk[0]))
            found.append(asks(pictures, rows, expected))
            kinds.append(kind)
            bar.advance(task, len(chunk))
    verdicts, probabilities, readings, _ = np.concatenate(found).T
    return Asked(np.concatenate(kinds), verdicts, probabilities, readings)


def decisions(asked: Asked) -> dict[str, Decisions]:
    """Count verdicts by kind of answer: "right" first, then all wrong ones, then each kind."""
    chosen = {IS_RIGHT: asked.of_right, "wrong": ~asked.of_right}
    chosen |= {kind: asked.kinds == kind for kind in KINDS}
    return {
        kind: Decisions(*(rate(asked.verdicts[rows] == v) for v in (RIGHT, ASK_AGAIN, WRONG)))
        for kind, rows in chosen.items()
    }


def accepted(asked: Asked, right_from: float) -> tuple[Rate, Rate]:
    """Shares of the wrong and of the right answers that would be called right from there on."""
    found = asked.probabilities >= np.float32(right_from)
    return rate(found[~asked.of_right]), rate(found[asked.of_right])


def rejected(asked: Asked, wrong_to: float) -> tuple[Rate, Rate]:
    """Shares of the right and of the wrong answers that would be called wrong up to there."""
    found = (asked.probabilities <= np.float32(wrong_to)) & (asked.readings > LEGIBLE)
    return rate(found[asked.of_right]), rate(found[~asked.of_right])


def best_thresholds(asked: Asked) -> Thresholds:
    """Return the thresholds that ask again least often within both limits.

    At most `FALSE_ACCEPTS` of the confusable wrong answers are then called right, and at most
    `FALSE_REJECTS` of the right ones wrong; where no threshold does it, the strictest is taken.
    UserError where nothing was asked.
    """
    if not len(asked.kinds):
        raise UserError("thresholds need numbers to ask about; give --images of 1 or more")
    accepting = (t for t in RIGHT_FROM if accepted(asked, t)[0].share <= FALSE_ACCEPTS)
    rejecting = (t for t in WRONG_TO[::-1] if rejected(asked, t)[0].share <= FALSE_REJECTS)
    return Thresholds(next(accepting, RIGHT_FROM[-1]), next(rejecting, WRONG_TO[0]))


def as_markdown(asked: Asked, thresholds: Thresholds) -> str:
    """Return what was decided by kind, and what other thresholds would decide, as two tables."""
    return "\n".join(["\n".join(_decided(asked)), "", *_tables(asked, thresholds)])


def _decided(asked: Asked) -> Iterator[str]:
    yield "| expected answer | n | called right | asked again | called wrong |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for kind, found in decisions(asked).items():
        shares = (str(r) for r in (found.right, found.ask_again, found.wrong))
        yield f"| {kind} | {found.right.count:,} | {' | '.join(shares)} |"


def _tables(asked: Asked, chosen: Thresholds) -> Iterator[str]:
    yield "| right from | wrong answers called right | right answers called right |"
    yield "| --- | ---: | ---: |"
    for limit in sorted({0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, chosen.right_from}):
        mark = " (in the file)" if limit == chosen.right_from else ""
        yield f"| {limit:g}{mark} | {' | '.join(map(str, accepted(asked, limit)))} |"
    yield ""
    yield "| wrong up to | right answers called wrong | wrong answers called wrong |"
    yield "| --- | ---: | ---: |"
    for limit in sorted({0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0001, chosen.wrong_to})[::-1]:
        mark = " (in the file)" if limit == chosen.wrong_to else ""
        yield f"| {limit:g}{mark} | {' | '.join(map(str, rejected(asked, limit)))} |"
