import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from trainer.ctc import Decoded, ctc_loss, greedy_decode


def decode_one(logits: np.ndarray) -> tuple[list[int], list[float]]:
    """The obvious loop, for one image (T, 11)."""
    digits: list[int] = []
    confidences: list[float] = []
    before = 0
    for step in logits.astype(np.float64):
        probabilities = np.exp(step - step.max())
        probabilities /= probabilities.sum()
        best = int(step.argmax())
        if best != 0 and best != before:
            digits.append(best - 1)
            confidences.append(float(probabilities[best]))
        elif best != 0:
            confidences[-1] = max(confidences[-1], float(probabilities[best]))
        before = best
    return digits, confidences


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 10), min_size=12, max_size=12), min_size=1, max_size=4))
def test_decoding_equals_the_obvious_loop(paths: list[list[int]]) -> None:
    random = np.random.default_rng(sum(map(sum, paths)))
    logits = random.normal(size=(len(paths), 12, 11)).astype(np.float32)
    for row, path in enumerate(paths):
        logits[row, range(12), path] += 4
    decoded = greedy_decode(logits)
    for row in range(len(paths)):
        digits, confidences = decode_one(logits[row])
        kept = len(digits[:5])
        assert decoded.count[row] == len(digits)
        assert decoded.digits[row].tolist() == digits[:5] + [-1] * (5 - kept)
        np.testing.assert_allclose(
            decoded.digit_confidences[row], confidences[:5] + [0.0] * (5 - kept), rtol=1e-5
        )
        readable = 1 <= len(digits) <= 5
        wanted = math.prod(confidences) if readable else 0
        assert decoded.confidence[row] == pytest.approx(wanted, rel=1e-5)


def path_logits(*classes: int) -> np.ndarray:
    return np.eye(11, dtype=np.float32)[None, list(classes)] * 20


def test_six_digits_are_never_taken_for_the_five_of_the_label() -> None:
    read = greedy_decode(path_logits(1, 2, 3, 4, 5, 6))
    assert read.count.tolist() == [6]
    assert read.digits.tolist() == [[0, 1, 2, 3, 4]]
    assert not read.equals(np.array([[0, 1, 2, 3, 4]], np.int8)).any()


def test_a_blank_separates_equal_digits() -> None:
    assert greedy_decode(path_logits(2, 2, 0, 2)).digits.tolist() == [[1, 1, -1, -1, -1]]


def test_the_loss_is_the_mean_over_all_paths_of_the_label() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 11)
    labels = [[3, 3], [7]]
    digits = torch.tensor([[3, 3, -1, -1, -1], [7, -1, -1, -1, -1]], dtype=torch.int8)
    expected = []
    for row, label in enumerate(labels):
        probabilities = logits[row].double().softmax(dim=1)
        total = 0.0
        for path in itertools.product([0, label[0] + 1], repeat=4):
            merged = [key - 1 for key, _ in itertools.groupby(path) if key]
            if merged == label:
                total += math.prod(float(probabilities[t, c]) for t, c in enumerate(path))
        expected.append(-math.log(total))
    assert ctc_loss(logits, digits).item() == pytest.approx(sum(expected) / 2, rel=1e-5)


def by_torch(logits: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
    paths = logits.double().log_softmax(dim=2).transpose(0, 1)
    lengths = (digits >= 0).sum(dim=1)
    steps = torch.full_like(lengths, len(paths))
    losses = functional.ctc_loss(
        paths, digits.long() + 1, steps, lengths, reduction="none", zero_infinity=True
    )
    return torch.where(losses > 500, 0.0, losses).mean()


LABELS = st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=4)


@settings(deadline=None)
@given(
    labels=LABELS,
    steps=st.integers(1, 40),
    scale=st.sampled_from([0.1, 3.0, 30.0]),
    masked=st.booleans(),
)
def test_the_loss_and_its_gradient_are_those_of_torch(
    device: torch.device, labels: list[list[int]], steps: int, scale: float, masked: bool
) -> None:
    random = np.random.default_rng(steps + sum(map(sum, labels)))
    logits = torch.from_numpy(random.normal(size=(len(labels), steps, 11)).astype(np.float32))
    logits *= scale
    if masked:
        logits[:, : steps // 2, 1:] -= 1_000
    digits = torch.tensor([label + [-1] * (5 - len(label)) for label in labels], dtype=torch.int8)
    found, wanted = (logits.clone().to(place).requires_grad_() for place in (device, "cpu"))
    losses = ctc_loss(found, digits.to(device)), by_torch(wanted, digits)
    for loss in losses:
        loss.backward()
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-6)
    assert torch.allclose(found.grad.cpu(), wanted.grad, rtol=1e-5, atol=1e-7)


def test_the_gradient_is_the_same_each_time(device: torch.device) -> None:
    torch.manual_seed(0)
    digits = torch.tensor([[7, 7, 1, 7, 1]], dtype=torch.int8, device=device).expand(512, -1)
    first, again = (torch.randn(512, 33, 11).to(device).requires_grad_() for _ in range(2))
    again.data.copy_(first)
    for logits in (first, again):
        ctc_loss(logits, digits).backward()
    assert torch.equal(first.grad, again.grad)


def test_a_label_without_room_teaches_nothing_and_nan_is_not_hidden() -> None:
    digits = torch.tensor([[1, 1, 1, -1, -1]], dtype=torch.int8)
    short = torch.zeros(1, 4, 11, requires_grad=True)
    ctc_loss(short, digits).backward()
    assert ctc_loss(short, digits).item() == 0
    assert (short.grad == 0).all()
    masked = torch.zeros(1, 8, 11)
    masked[:, 4:, 1:] -= 1_000
    assert ctc_loss(masked, digits).item() == 0
    assert ctc_loss(torch.full((1, 8, 11), torch.nan), digits).isnan()


def test_joining_batches_keeps_their_order() -> None:
    parts = [greedy_decode(path_logits(c)) for c in (3, 8)]
    assert Decoded.join(parts).digits[:, 0].tolist() == [2, 7]
