import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shards.reader import DataSet
from trainer.config import Config
from trainer.data import Batch, from_shards
from trainer.models import MODELS, build_seeded
from trainer.state import State
from trainer.train import update
from trainer.trim import best_parts, trimmed

CPU = torch.device("cpu")


def with_ink_from(columns: list[int]) -> Batch:
    """One image per column: a line of ink from there to the right; 128 draws nothing."""
    images = torch.zeros(len(columns), 1, 32, 128, dtype=torch.uint8)
    for image, column in zip(images, columns, strict=True):
        image[0, 9, column:] = 255
    names = torch.arange(len(columns)).to(torch.int8)[:, None].expand(-1, 5)
    return Batch(images, names)


@given(st.lists(st.integers(0, 128), min_size=1, max_size=40), st.integers(2, 6))
def test_parts_hold_each_sample_once_with_all_its_ink(columns: list[int], parts: int) -> None:
    batch = with_ink_from(columns)
    found = trimmed(batch, parts)
    assert len(found) <= parts
    rows = torch.cat([part.digits[:, 0] for part in found]).long()
    assert sorted(rows.tolist()) == list(range(len(columns)))
    for part in found:
        width = part.images.shape[3]
        assert width in range(32, 129, 16)
        whole = batch.images[part.digits[:, 0].long()]
        assert torch.equal(part.images, whole[..., 128 - width :])
        assert not whole[..., : 128 - width].any()


def test_parts_are_as_narrow_as_their_widest_sample_and_what_the_ink_mask_sees() -> None:
    columns = [100, 20, 116, 68, 67, 128, 83, 84]
    widths = [part.images.shape[3] for part in trimmed(with_ink_from(columns), 8)]
    assert widths == [32, 32, 48, 64, 64, 80, 112, 128]
    two = trimmed(with_ink_from(columns), 2)
    assert [part.digits[:, 0].tolist() for part in two] == [[2, 0, 7, 6], [3, 4, 1, 5]]


def test_faint_specks_that_the_networks_do_not_see_as_ink_are_cut() -> None:
    batch = with_ink_from([100, 100])
    batch.images[:, 0, 3, 5] = torch.tensor([38, 39])  # the ink mask begins at 0.15
    assert [part.images.shape[3] for part in trimmed(batch, 2)] == [32, 128]


def test_one_part_is_the_batch_itself() -> None:
    batch = with_ink_from([5, 90])
    assert trimmed(batch, 1)[0] is batch


def gradient(state: State) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in state.model.parameters() if p.grad is not None])


@pytest.mark.parametrize("parts", [2, 4])
def test_a_step_in_parts_is_that_of_the_whole_batch(printed: DataSet, parts: int) -> None:
    """With batch norms that do not look at the batch, and weights to which black says nothing."""
    states = [State(Config("nano", batch=30), CPU) for _ in range(2)]
    batch = from_shards(printed, "train", CPU)(np.arange(30))
    losses = []
    for state, divided in zip(states, (1, parts), strict=True):
        state.model.eval()
        losses.append(update(state, batch, 0.0, torch.float32, parts=divided).item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    whole, divided = (gradient(state) for state in states)
    assert (whole - divided).norm() < 1e-3 * whole.norm()


def test_large_networks_train_in_more_parts_and_only_on_a_cpu() -> None:
    parts = {name: best_parts(build_seeded(name, 0)) for name in MODELS}
    assert parts == {"base": 4, "optimized": 4, "lightweight": 4, "nano": 2}
    assert best_parts(build_seeded("nano", 0).to("meta")) == 1
