import numpy as np
import pytest

from trainer.ctc import Decoded
from trainer.metrics import align, calibration, evaluate, rate, worst


def read(*numbers: str, confidence: list[float] | None = None) -> Decoded:
    digits = np.full((len(numbers), 5), -1, np.int8)
    for row, number in enumerate(numbers):
        digits[row, : len(number[:5])] = [int(digit) for digit in number[:5]]
    return Decoded(
        digits=digits,
        count=np.array([len(number) for number in numbers]),
        digit_confidences=np.ones((len(numbers), 5), np.float32),
        confidence=np.array(confidence or [1.0] * len(numbers), np.float32),
    )


def test_the_interval_is_wilsons() -> None:
    half = rate(np.array([True] * 5 + [False] * 5))
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    perfect = rate(np.ones(100, bool))
    assert (perfect.low, perfect.high) == pytest.approx((0.9630, 1.0), abs=1e-4)
    assert rate(np.zeros(0, bool)).high == 1


def test_figures_of_a_small_evaluation() -> None:
    truth = read("12", "7", "345", "00").digits
    result = evaluate(read("12", "1", "35", "000000"), truth)
    assert result.exact.share == 0.25
    assert {n: r.share for n, r in result.by_length.items()} == {1: 0.0, 2: 0.5, 3: 0.0}
    # 7 as 1, the 4 left out, four zeros too many; 8 true digits
    assert result.digit_error_rate == (1 + 1 + 4) / 8
    assert result.confusion[7][1] == 1
    assert result.confusion[3][3] == result.confusion[5][5] == 1
    assert result.confusion[0][0] == 2
    assert sum(map(sum, result.confusion)) == 2 + 1 + 2 + 2


def test_alignment_leaves_out_what_has_no_opposite() -> None:
    assert align([1, 2, 3], [1, 3]) == (1, [(1, 1), (3, 3)])
    assert align([], [4, 4]) == (2, [])
    assert align([9, 9], [9, 4]) == (1, [(9, 9), (9, 4)])


def test_the_worst_errors_are_the_surest() -> None:
    seen = read("1", "2", "3", "4", confidence=[0.5, 0.9, 0.7, 1.0])
    assert worst(seen, read("9", "9", "9", "4").digits, most=2).tolist() == [1, 2]


def test_calibration_is_the_mean_gap_of_bins_of_equal_mass() -> None:
    # 15 bins of 2; in the first, confidence 0.2 and half right; in the others 0.9 and all right.
    confidence = np.array([0.2] * 2 + [0.9] * 28, np.float32)
    right = np.array([True, False] + [True] * 28)
    order = np.random.default_rng(0).permutation(30)
    found = calibration(confidence[order], right[order])
    assert found.error == pytest.approx((0.3 + 14 * 0.1) / 15)
    assert found.confidence == pytest.approx([0.2] + [0.9] * 14)
    assert found.right == [0.5] + [1.0] * 14
    assert found.covered.count == 29
    assert calibration(np.ones(3, np.float32), np.ones(3, bool)).error == 0


def test_the_surest_numbers_are_kept() -> None:
    confidence = np.linspace(0, 1, 100, dtype=np.float32)
    right = np.arange(100) >= 6
    found = calibration(confidence, right)
    assert (found.covered.count, found.covered.share) == (95, pytest.approx(94 / 95))
    assert found.threshold == confidence[5]
