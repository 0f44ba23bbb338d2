"""The answers that are mixed up, and what is decided of them."""

import numpy as np
import pytest

from shards.labels import to_digits, to_labels
from shards.reader import DataSet
from trainer.answers import (
    FALSE_ACCEPTS,
    FALSE_REJECTS,
    RIGHT_FROM,
    WRONG_TO,
    Asked,
    accepted,
    as_markdown,
    ask_split,
    best_thresholds,
    decisions,
    rejected,
)
from trainer.check_graph import Thresholds
from trainer.confusable import KINDS, confusable, questions


@pytest.mark.parametrize(
    ("label", "kind", "answers"),
    [
        ("123", "digits swapped", ["132", "213"]),
        ("11", "digits swapped", []),
        ("969", "6 for 9", ["669", "966", "999"]),
        ("71", "1 for 7", ["11", "77"]),
        ("10", "off by one", ["09", "11"]),
        ("0", "off by one", ["1"]),
        ("99999", "off by one", ["99998"]),
        ("99", "off by one", ["100", "98"]),
        ("007", "off by one", ["006", "008"]),
        ("121", "a digit missing", ["11", "12", "21"]),
        ("5", "a digit missing", []),
        ("40", "a digit doubled", ["400", "440"]),
        ("12345", "a digit doubled", []),
    ],
)
def test_answers_that_children_mix_up(label: str, kind: str, answers: list[str]) -> None:
    assert confusable(label, kind) == answers


def test_questions_ask_for_the_answer_and_for_one_of_each_kind() -> None:
    truth = to_digits(["16", "5", "99999"])
    rows, expected, kinds = questions(truth)
    for row, label, kind in zip(rows, to_labels(expected), kinds, strict=True):
        drawn = to_labels(truth)[row]
        assert label == drawn if kind == "right" else label in confusable(drawn, kind)
    of_first = kinds[rows == 0].tolist()
    assert of_first == ["right", *KINDS]
    assert kinds[rows == 1].tolist() == ["right", "off by one", "a digit doubled"]
    assert kinds[rows == 2].tolist() == ["right", "6 for 9", "off by one", "a digit missing"]


def asked(right: list[float], wrong: list[float], reading: float = 1.0) -> Asked:
    probabilities = np.array(right + wrong, np.float32)
    kinds = np.array(["right"] * len(right) + ["1 for 7"] * len(wrong))
    readings = np.full(len(kinds), reading, np.float32)
    return Asked(kinds, np.sign(probabilities - 0.5), probabilities, readings)


def test_thresholds_keep_both_limits_and_go_no_further() -> None:
    assert (FALSE_ACCEPTS, FALSE_REJECTS) == (0.002, 0.005)
    # Of 1,000 wrong ones two may pass, of 1,000 right ones five be refused.
    wrong = [0.0] * 996 + [0.534, 0.6, 0.7, 0.8]
    right = [1.0] * 992 + [0.00001, 0.0001, 0.001, 0.001, 0.001, 0.0203, 0.03, 0.4]
    found = asked(right, wrong)
    assert best_thresholds(found) == Thresholds(right_from=0.61, wrong_to=0.02)
    assert accepted(found, 0.61)[0].share == 0.002
    assert accepted(found, 0.6)[0].share == 0.003
    assert rejected(found, 0.02)[0].share == 0.005
    assert rejected(found, 0.03)[0].share == 0.007


def test_thresholds_of_a_perfect_and_of_a_useless_checker() -> None:
    assert best_thresholds(asked([1.0] * 9, [0.0] * 9)) == Thresholds(0.5, 0.5)
    assert best_thresholds(asked([0.0] * 9, [1.0] * 9)) == Thresholds(0.99, 1e-6)
    assert (RIGHT_FROM[0], RIGHT_FROM[-1], WRONG_TO[0], WRONG_TO[-1]) == (0.5, 0.99, 1e-6, 0.5)
    assert list(WRONG_TO) == sorted(set(WRONG_TO))


def test_what_is_not_legible_is_not_called_wrong() -> None:
    found = asked([0.0] * 3, [0.0] * 3, reading=0.5)
    assert [rate.share for rate in rejected(found, 0.5)] == [0, 0]


def test_decisions_are_counted_by_kind() -> None:
    found = asked([0.9, 0.5, 0.5, 0.1], [0.1, 0.2])
    counted = decisions(found)
    shares = {k: (d.right.share, d.ask_again.share, d.wrong.share) for k, d in counted.items()}
    assert shares["right"] == (0.25, 0.5, 0.25)
    assert shares["wrong"] == shares["1 for 7"] == (0, 0, 1)
    assert counted["6 for 9"].right.count == 0
    lines = as_markdown(found, Thresholds(0.55, 0.1)).splitlines()
    assert lines[2].startswith("| right | 4 | 0.2500 [")
    assert [line for line in lines if "0.55 (in the file)" in line]
    assert [line for line in lines if "| 0.1 (in the file)" in line]


def test_a_split_is_asked_about_number_by_number(printed: DataSet) -> None:
    def knows(images: np.ndarray, rows: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """One that has read the labels."""
        truth = np.array([seen[image.tobytes()] for image in images])[rows]
        same = (truth == expected).all(axis=1)
        return np.column_stack([np.where(same, 1, -1), same, same | True, same]).astype(np.float32)

    images, digits = printed.gather("val", np.arange(64))
    seen = {image.tobytes(): label for image, label in zip(images, digits, strict=True)}
    found = ask_split(knows, printed, "val", 40)
    assert found.of_right.sum() == 40
    assert (found.probabilities == found.of_right).all()
    assert decisions(found)["right"].right.share == decisions(found)["wrong"].wrong.share == 1
