import pytest
import torch

from trainer.meter import Meter


def test_losses_are_counted_when_they_are_read() -> None:
    meter = Meter(4, [])
    for loss in (1.0, float("nan"), 3.0):
        meter.add(torch.tensor(loss))
    assert meter.read() == pytest.approx([1, float("nan"), 3], nan_ok=True)
    assert meter.read() == []
    meter.add(torch.tensor(8.0))
    assert meter.mean() == 2
    assert meter.read() == [8]
    assert meter.mean() == 4
    assert meter.recent(1) == 8
    assert meter.recent(3) == 5.5


def test_nothing_but_skipped_steps_has_no_mean() -> None:
    meter = Meter(4, [])
    meter.add(torch.tensor(float("inf")))
    meter.read()
    assert meter.mean() != meter.mean()
