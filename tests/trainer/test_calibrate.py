from pathlib import Path

import numpy as np
import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.calibrate import best_temperature, calibrate, soften, surprise
from trainer.checkpoint import load_reader
from trainer.ctc import greedy_decode
from trainer.data import to_input

CPU = torch.device("cpu")


def honest_numbers(count: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 9, 11) whose probabilities are true, and the digits, drawn by them."""
    random = np.random.default_rng(length)
    chances = np.full((count, 9, 11), 1e-6)
    chances[..., 0] = 1
    truth = np.full((count, 5), -1, np.int8)
    for place in range(length):
        sure = random.uniform(0.6, 0.999, count)
        chances[:, 2 * place, 0] = 1e-6
        chances[:, 2 * place, 4], chances[:, 2 * place, 8] = sure, 1 - sure
        truth[:, place] = np.where(random.random(count) < sure, 3, 7)
    return np.log(chances).astype(np.float32), truth


@pytest.mark.parametrize("wrong_by", [0.7, 1.0, 2.5])
@pytest.mark.parametrize("length", [1, 3, 5])
def test_the_temperature_undoes_what_made_the_logits_too_sure(wrong_by: float, length: int) -> None:
    logits, truth = honest_numbers(20_000, length)
    found = best_temperature(logits * np.float32(wrong_by), truth)
    assert found == pytest.approx(wrong_by, rel=0.05)


def test_without_errors_nobody_is_quite_certain() -> None:
    right = np.ones(98, bool)
    losses = {p: surprise(np.full(98, p, np.float32), right) for p in (0.98, 0.99, 0.9999)}
    assert min(losses, key=lambda p: losses[p]) == 0.99
    assert surprise(np.array([1.0, 0.0]), np.array([True, False])) < 10


def test_the_same_is_read_and_a_masked_digit_stays_impossible(run: Path, printed: DataSet) -> None:
    images, _ = printed.gather("test", np.arange(64))
    inputs = to_input(torch.from_numpy(images)[:, None])
    model = load_reader(run, CPU)[0]
    with torch.inference_mode():
        before = model(inputs).numpy()
        soften(model, 3.0)
        after = model(inputs).numpy()
    free = before > -500
    np.testing.assert_allclose(after[free], before[free] / 3, rtol=1e-4, atol=1e-4)
    assert (after[~free] < -900).all()
    first, second = greedy_decode(before), greedy_decode(after)
    assert np.array_equal(first.digits, second.digits)
    shown = first.digits >= 0
    assert (second.digit_confidences[shown] < first.digit_confidences[shown]).all()


def test_calibration_needs_val_images(run: Path, tmp_path: Path) -> None:
    splits = {"test": 4, "val": 0, "train": 4}
    model = load_reader(run, CPU)[0]
    with pytest.raises(UserError, match="has no images of the split .val."):
        calibrate(model, DataSet(write_data_set(tmp_path / "none", splits)), 100)
