"""The likelihood of a label: the sum over all its paths, in NumPy and in the graph."""

import itertools
import math

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shards.labels import to_digits
from tests.trainer.bare import bare_network, image_of, logits_of
from trainer import ctc
from trainer.check_graph import Thresholds, with_check
from trainer.ctc import ctc_loss, greedy_decode
from trainer.likelihood import answers, likelihood

THRESHOLDS = Thresholds(right_from=0.6, wrong_to=0.02)


def over_all_paths(logits: np.ndarray, label: str) -> float:
    """The definition: the probabilities of all paths that merge to the label, (T, 11)."""
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(11), repeat=len(logits)):
        merged = "".join(str(key - 1) for key, _ in itertools.groupby(path) if key)
        if merged == label:
            total += math.prod(shares[t, c] for t, c in enumerate(path))
    return total


@pytest.mark.parametrize("label", ["7", "33", "373", "1234", "11"])
def test_the_likelihood_is_the_sum_over_all_paths(label: str) -> None:
    logits = np.random.default_rng(3).normal(size=(1, 4, 11)).astype(np.float32)
    wanted = over_all_paths(logits[0], label)
    assert likelihood(logits, to_digits([label]))[0] == pytest.approx(wanted, rel=1e-12)


LABELS = st.lists(st.integers(0, 9), min_size=1, max_size=5)


@settings(deadline=None)
@given(label=LABELS, steps=st.integers(10, 40), scale=st.sampled_from([0.1, 3.0, 30.0]))
def test_it_is_what_training_raises(label: list[int], steps: int, scale: float) -> None:
    random = np.random.default_rng(steps + sum(label))
    logits = (scale * random.normal(size=(1, steps, 11))).astype(np.float32)
    digits = np.array([label + [-1] * (5 - len(label))], np.int8)
    loss = ctc_loss(torch.from_numpy(logits), torch.from_numpy(digits)).item()
    found = likelihood(logits, digits)[0]
    by_torch = ctc.likelihood(torch.from_numpy(logits), torch.from_numpy(digits)).item()
    assert by_torch == pytest.approx(found, rel=1e-9, abs=1e-300)
    assert loss == 0 or -math.log(found) == pytest.approx(loss, rel=1e-5)


def session_of(steps: int) -> onnxruntime.InferenceSession:
    model = with_check(bare_network(steps), THRESHOLDS)
    return onnxruntime.InferenceSession(model.SerializeToString())


def asked(session: onnxruntime.InferenceSession, image: np.ndarray, expected: list) -> list[float]:
    feeds = {"image": image, "expected": np.array([expected], np.float32)}
    answer = session.run(None, feeds)[0]
    assert answer.shape == (1, 4)
    assert answer.dtype == np.float32
    return answer[0].tolist()


@pytest.mark.parametrize("steps", [1, 2, 7, 32, 33, 64])
def test_the_graph_answers_as_numpy_does(steps: int) -> None:
    session, random = session_of(steps), np.random.default_rng(steps)
    verdicts = set()
    for number in range(300):
        logits = random.normal(size=(steps, 11)).astype(np.float32)
        logits[:, 0] += random.uniform(0, 8)
        for step in random.integers(0, steps, random.integers(0, 7)):
            logits[step, random.integers(1, 11)] += random.uniform(5, 25)
        image = image_of(np.clip(logits, -50, 50))
        logits = logits_of(image, steps)
        expected = random.integers(-1, 10, 5)
        expected[0] = max(expected[0], 0)
        expected[np.argmax(np.append(expected, -1) < 0) :] = -1
        read = greedy_decode(logits)
        if number % 2 and 1 <= read.count[0] <= 5:
            expected = read.digits[0]
        wanted = answers(logits, np.array([expected], np.int8), THRESHOLDS)[0]
        found = asked(session, image, expected)
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-7)
        verdicts.add(found[0])
    assert verdicts == {-1, 0, 1} or steps == 1


def path(*classes: int, sure: float = 30) -> np.ndarray:
    logits = np.zeros((64, 11), np.float32)
    logits[:, 0] = sure
    for step, each in enumerate(classes):
        logits[4 * step, 0], logits[4 * step, each] = 0, sure
    return image_of(logits)


NONE = -1
NUMBERS = [
    ([4, 2, NONE, NONE, NONE], [1, 1, 1, 42]),
    ([4, NONE, NONE, NONE, NONE], [-1, 0, 1, 42]),
    ([0, 4, 2, NONE, NONE], [-1, 0, 1, 42]),
    ([4, 2, 0, 0, 0], [-1, 0, 1, 42]),
]
NO_NUMBERS = [
    [NONE] * 5,
    [4, NONE, 2, NONE, NONE],  # a hole
    [NONE, NONE, NONE, 4, 2],  # from the right
    [42, NONE, NONE, NONE, NONE],
    [4, 10, NONE, NONE, NONE],
    [4, 2, -2, NONE, NONE],
    [4.5, 2, NONE, NONE, NONE],
    [4, 2, -0.5, NONE, NONE],
    [np.nan, 2, NONE, NONE, NONE],
    [4, 2, np.nan, np.nan, np.nan],
    [np.inf, NONE, NONE, NONE, NONE],
    [-np.inf, NONE, NONE, NONE, NONE],
    [3e38, NONE, NONE, NONE, NONE],
]


@pytest.mark.parametrize(("expected", "wanted"), NUMBERS)
def test_an_expected_number(expected: list, wanted: list) -> None:
    assert asked(session_of(64), path(5, 3), expected) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("expected", NO_NUMBERS)
def test_an_expected_answer_that_is_none_is_told_by_its_probability(expected: list) -> None:
    assert asked(session_of(64), path(5, 3), expected) == pytest.approx([0, -1, 1, 42], abs=1e-6)


@pytest.mark.parametrize("pixel", [np.nan, np.inf, -np.inf, 255, -1])
def test_so_is_an_image_that_is_none(pixel: float) -> None:
    image = path(5, 3)
    image[0, 0, 31, 127] = pixel
    assert asked(session_of(64), image, [4, 2, NONE, NONE, NONE]) == [0, -1, 0, -1]


def test_nothing_and_too_much_are_no_reading_and_no_mistake_of_the_child() -> None:
    session = session_of(64)
    for image in (path(), path(5, 3, 5, 3, 5, 3)):
        found = asked(session, image, [4, 2, NONE, NONE, NONE])
        assert found == pytest.approx([0, 0, 0, -1], abs=1e-6)


def test_a_drawing_that_may_be_anything_is_asked_for_again() -> None:
    found = asked(session_of(64), path(5, 3, sure=0.5), [9, 9, 9, NONE, NONE])
    assert found[0] == 0
    assert found[1] < THRESHOLDS.wrong_to
    assert found[2] < 0.5


def test_leading_zeros_count() -> None:
    session, image = session_of(64), path(1, 5)
    assert asked(session, image, [0, 4, NONE, NONE, NONE]) == pytest.approx([1, 1, 1, 4], abs=1e-6)
    assert asked(session, image, [4, NONE, NONE, NONE, NONE])[0] == -1
