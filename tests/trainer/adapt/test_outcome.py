"""What is said of an adaptation follows from its figures."""

import json

import numpy as np
import pytest

from trainer.adapt.outcome import Comparison, Outcome, as_json, as_text
from trainer.ctc import Decoded
from trainer.metrics import Evaluation, evaluate


def evaluation(right: int) -> Evaluation:
    """Of 100 numbers so many are read exactly."""
    truth = np.full((100, 5), -1, np.int8)
    truth[:, 0] = 7
    digits = truth.copy()
    digits[right:, 0] = 1
    count = np.ones(100, np.int64)
    sure = np.full(100, 0.5, np.float32)
    return evaluate(Decoded(digits, count, np.zeros((100, 5), np.float32), sure), truth)


def outcome(own: tuple[int, int, int], *standard: tuple[int, int, int]) -> Outcome:
    """Exact numbers before, after in fp32, after in int8, of each test."""
    tests = {
        name: Comparison(
            name != "own", evaluation(a), {"fp32": evaluation(b), "int8": evaluation(c)}
        )
        for name, (a, b, c) in zip(("own", "child", "written"), (own, *standard), strict=False)
    }
    return Outcome("nano", ("anna",), 90, 30, 0.8, 60.0, 0.02, tests)


@pytest.mark.parametrize(
    ("own", "child", "written", "refused", "better", "worst"),
    [
        ((50, 70, 69), (90, 91, 91), (95, 95, 94), False, True, "written"),
        ((50, 70, 69), (90, 90, 87), (95, 95, 95), True, True, "child"),
        ((50, 70, 50), (90, 91, 91), (95, 96, 96), False, False, "child"),
        ((50, 49, 70), (90, 88, 88), (95, 96, 96), False, False, "child"),
    ],
)
def test_the_worse_reader_and_the_worst_test_decide(
    own, child, written, refused: bool, better: bool, worst: str
) -> None:
    found = outcome(own, child, written)
    assert (found.refused, found.better, found.worst) == (refused, better, worst)
    text = as_text(found)
    assert ("REFUSED" in text, "WARNING" in text) == (refused, not better)
    content = json.loads(as_json(found))
    assert (content["refused"], content["better"], content["worst"]) == (refused, better, worst)
    drop = (child[0] - min(child[1:])) / 100
    assert content["tests"]["child"]["drop"] == pytest.approx(drop)


def test_every_figure_has_its_n_and_interval() -> None:
    lines = as_text(outcome((50, 70, 69), (90, 91, 91))).splitlines()
    (own,) = [line for line in lines if line.startswith("own")]
    assert own.split()[:2] == ["own", "100"]
    assert own.count("[0.") == 3
    assert "0.5000 [0.4038, 0.5962]" in own
