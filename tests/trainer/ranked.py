"""What the tests of ranks start by torchrun: python -m tests.trainer.ranked WHAT DATA FOLDER."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from shards.errors import UserError
from shards.reader import DataSet
from trainer import cli
from trainer.config import Config
from trainer.data import Batch, Order, from_shards
from trainer.models import Reader, ink_mask
from trainer.muon import Muon
from trainer.norms import join_norms
from trainer.ranks import ALONE, Ranks, joined
from trainer.state import State, _in_one, _norm_statistics
from trainer.train import update

CPU = torch.device("cpu")
BATCH, STEPS = 31, 8
CONFIG = Config("nano", epochs=1, batch=BATCH, precision="float32", max_minutes=1e6)
RATE = 1e-3


class Exact(Reader):
    """The network without the rounding of its logits to float32."""

    def forward(self, image: Tensor) -> Tensor:
        columns = self.features(image.double()).flatten(1, 2).transpose(1, 2)
        logits = self.sequence(columns)
        return logits + ink_mask(image, logits.shape[1], logits.shape[2])


def in_double() -> State:
    """A state before its first step that computes in float64.

    In float32 the order in which a batch is added up alone leads to other weights in a few steps.
    """
    state = State(CONFIG, CPU)
    state.model.double().__class__ = Exact
    state.average.double()
    state.statistics = _in_one(_norm_statistics(state.model))
    state.optimizer = Muon(state.model, CONFIG.weight_decay)
    return state


def batches(data: DataSet, ranks: Ranks = ALONE) -> Iterator[Batch]:
    """The first epoch of a rank."""
    count = data.count("train")
    gather = from_shards(data, "train", CPU)
    yield from map(gather, ranks.part(Order(count, count, BATCH, CONFIG.seed).indices(0)))


def parameters(state: State) -> dict[str, Tensor]:
    """All that training changes."""
    tensors = {name: tensor for name, tensor in state._tensors().items() if name != "random"}
    return {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def norm_batch() -> tuple[Tensor, Tensor]:
    """Images of 7 samples and the gradient of their norm: float64 (7, 3, 4, 6)."""
    random = torch.Generator().manual_seed(5)
    both = torch.randn(2, 7, 3, 4, 6, generator=random, dtype=torch.float64)
    return both[0] * 3 + 5, both[1]


def norm(module: nn.BatchNorm2d, images: Tensor, outer: Tensor) -> dict[str, Tensor]:
    """What a norm in training makes of images, and of the gradient of that."""
    images.requires_grad_()
    result = module(images)
    result.backward(outer)
    return {
        "result": result.detach(),
        "images": images.grad,
        "weight": module.weight.grad,
        "mean": module.running_mean,
        "variance": module.running_var,
    }


def train_in_double(data: DataSet, folder: Path) -> None:
    """Train an epoch, then take a step that the last rank spoils; each rank leaves its weights."""
    with joined(CPU) as ranks:
        state = in_double()
        state.network = ranks.network(state.model)
        for batch in batches(data, ranks):
            loss = update(state, batch, RATE, torch.float32, ranks)
        save_file(parameters(state) | {"loss": loss}, folder / f"{ranks.count}-{ranks.rank}")
        if ranks.rank == ranks.count - 1:
            state.model.register_forward_hook(lambda _, __, logits: logits * float("nan"))
        spoiled = update(state, next(batches(data, ranks)), RATE, torch.float32, ranks)
        after = {"loss": spoiled, "weight": state.model.sequence.weight.detach()}
        save_file(after, folder / f"{ranks.count}-{ranks.rank}-spoiled")
        state.network = state.model  # as `train` leaves it
        mine = ranks.part(np.arange(7)[None])[0]
        images, outer = (whole[mine].clone() for whole in norm_batch())
        found = norm(join_norms(nn.BatchNorm2d(3).double()), images, outer)
        told = torch.tensor([ranks.same(ranks.rank), *ranks.totals(ranks.rank, 1)])
        save_file(found | {"told": told}, folder / f"{ranks.count}-{ranks.rank}-norm")


class Unreadable(DataSet):
    """Breaks off at the given read."""

    left = 7

    def gather(self, split: str, indices: np.ndarray, *out: np.ndarray) -> tuple:
        self.left -= 1
        if self.left == 0:
            raise UserError("train-00001.tar is gone")
        return super().gather(split, indices, *out)


def fail_on_the_last(data: DataSet, folder: Path) -> None:
    """The command `trainer train`, whose last rank cannot read its data any more."""
    import os

    import shards.opening

    if os.environ["RANK"] == str(int(os.environ["WORLD_SIZE"]) - 1):
        shards.opening.DataSet = Unreadable
    options = ["--batch", BATCH, "--save-seconds", 0, "--threads", 1]
    sys.argv = ["trainer", "train", str(data.folder), "--run", str(folder), *map(str, options)]
    cli.main()


if __name__ == "__main__":
    torch.set_num_threads(1)
    globals()[sys.argv[1]](DataSet(Path(sys.argv[2])), Path(sys.argv[3]))
