import numpy as np
import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from trainer import data as module
from trainer.data import Order, from_device, from_shards, stream, to_input, wait_until_ready


def test_an_epoch_is_a_shuffle_of_its_block_and_blocks_wrap_round() -> None:
    order = Order(count=100, epoch_images=40, batch=8, seed=5)
    assert order.steps == 5
    blocks = [np.sort(order.indices(epoch).ravel()).tolist() for epoch in range(3)]
    assert blocks == [
        list(range(40)),
        list(range(40, 80)),
        sorted([*range(80, 100), *range(20)]),
    ]
    assert order.indices(0).shape == (5, 8)
    assert not np.array_equal(order.indices(0), np.sort(order.indices(0).ravel()).reshape(5, 8))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    order = Order(64, 64, 8, seed=1)
    assert np.array_equal(order.indices(3), Order(64, 64, 8, seed=1).indices(3))
    assert not np.array_equal(order.indices(3), order.indices(4))
    assert not np.array_equal(order.indices(3), Order(64, 64, 8, seed=2).indices(3))


def test_a_batch_larger_than_an_epoch_is_refused() -> None:
    with pytest.raises(UserError, match="batch of 65 does not fit in epochs of 64"):
        Order(64, 64, 65, seed=1)


@pytest.mark.parametrize("source", [from_shards, from_device])
def test_batches_come_in_order_with_their_labels(source, device, printed: DataSet) -> None:
    indices = Order(256, 256, 32, seed=0).indices(0)
    seen = list(stream(source(printed, "train", device), indices, device))
    assert len(seen) == 8
    for row, batch in zip(indices, seen, strict=True):
        images, digits = printed.gather("train", row)
        assert batch.images.device.type == device.type
        assert np.array_equal(batch.images[:, 0].cpu().numpy(), images)
        assert np.array_equal(batch.digits.cpu().numpy(), digits)


def test_what_fails_while_reading_ahead_reaches_the_caller() -> None:
    def broken(indices: np.ndarray) -> module.Batch:
        raise UserError("shard gone")

    with pytest.raises(UserError, match="shard gone"):
        list(stream(broken, np.zeros((9, 2), np.int64)))


def test_models_read_0_to_1() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)
    assert to_input(images).flatten().tolist() == pytest.approx([0, 0.2, 1])


class Building:
    """A data set of which one more shard of ten is there at each look, up to `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.there = most, 0

    def ready(self, split: str) -> int:
        self.there = min(self.most, self.there + 10)
        return self.there


def test_training_waits_for_a_build_and_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    data = Building(most=100)
    wait_until_ready(data, "train", 35)  # type: ignore[arg-type]
    assert data.there == 40
    assert "train has 10 of the 35 images" in capsys.readouterr().out


def test_a_build_that_died_ends_the_wait(monkeypatch) -> None:
    clock = iter(range(0, 10**6, 100))
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with pytest.raises(UserError, match="20 of the 35 images wanted for 15 minutes"):
        wait_until_ready(Building(most=20), "train", 35)  # type: ignore[arg-type]
