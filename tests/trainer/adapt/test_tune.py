"""As much of a change is kept as harms nobody else."""

import pytest
import torch

from shards.reader import DataSet
from trainer.adapt import tune as module
from trainer.adapt.tune import retreat
from trainer.config import Config
from trainer.state import State


@pytest.mark.parametrize(
    ("least", "share"), [(0.0, 1.0), (0.5, 0.5), (0.55, 0.4), (0.9, 0.1), (0.95, 0.0)]
)
def test_the_largest_share_that_is_good_enough(
    least: float, share: float, printed: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(Config("nano"), torch.device("cpu"))
    before = {name: value.clone() for name, value in state.average.state_dict().items()}
    with torch.no_grad():
        state.average.sequence.bias.add_(1)

    def validate(data: DataSet, at: State, precision: torch.dtype) -> tuple[float, float]:
        moved = at.average.sequence.bias - before["sequence.bias"]
        return 0.0, 1 - float(moved.mean()) + 1e-6

    monkeypatch.setattr(module, "validate", validate)
    assert retreat(state, before, printed, least) == share
    moved = state.average.sequence.bias - before["sequence.bias"]
    assert torch.allclose(moved, torch.full_like(moved, share), atol=1e-6)
    if not share:
        after = state.average.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())
