"""How far rounding alone drives two trainings apart: the same batches, their samples reordered.

python -m tests.benchmarks.rounding: the distance of two runs of nano after some steps on printed
numbers, as a share of the way from their first weights. It is what no tolerance for several ranks
can be below. `joint` are the norms that ranks use, here on one process.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from tests.trainer.ranked import BATCH, CPU, in_double
from trainer.checkpoint import find_weights
from trainer.config import Config
from trainer.data import Order, from_shards
from trainer.norms import join_norms
from trainer.state import State
from trainer.train import update

STEPS = (1, 4, 8, 16)
SPLITS = {"test": 4, "val": 4, "train": 256}


def begun(start: str, norms: str) -> State:
    """A run before its first step."""
    if norms == "float64":
        return in_double()
    state = State(Config("nano", batch=BATCH), CPU)
    if start == "nano":
        state.start_from(find_weights(Path("nano")))
    if norms == "joint":
        join_norms(state.model)
    return state


def weights(state: State) -> Tensor:
    """All that is trained, in one row."""
    return torch.cat([p.detach().double().flatten() for p in state.model.parameters()])


def trained(state: State, data: DataSet, order: np.ndarray) -> list[Tensor]:
    """The weights after each step of two epochs; `order` is that of the samples of a batch."""
    gather, found = from_shards(data, "train", CPU), [weights(state)]
    for epoch in range(2):
        for row in Order(SPLITS["train"], SPLITS["train"], BATCH, 0).indices(epoch):
            rate = Config("nano").rate_at(state.updates / STEPS[-1])
            update(state, gather(row[order]), rate, torch.float32)
            found.append(weights(state))
    return found


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = f"file://{folder}/rendezvous"
        dist.init_process_group("gloo", init_method=rendezvous, rank=0, world_size=1)
        data = DataSet(write_data_set(Path(folder) / "printed", SPLITS))
        orders = np.arange(BATCH), np.random.default_rng(0).permutation(BATCH)
        print("start   norms    " + "".join(f"{f'{step} steps':>10}" for step in STEPS))
        for start, norms in (
            ("random", "torch"),
            ("random", "joint"),
            ("random", "float64"),
            ("nano", "torch"),
            ("nano", "joint"),
        ):
            one, other = (trained(begun(start, norms), data, order) for order in orders)
            apart = [(one[s] - other[s]).norm() / (one[s] - one[0]).norm() for s in STEPS]
            print(f"{start:8}{norms:9}" + "".join(f"{share:10.1e}" for share in apart))
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
