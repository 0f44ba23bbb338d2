"""A short training from the weights of a reader, and as much of its change as harms nobody else.

Between the weights before and after lie readers that have learned nearly as much and forgotten
less: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, arXiv 2109.01903.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from shards.reader import DataSet
from trainer.average import copy_weights, mix_weights
from trainer.checkpoint import BEST, find_weights, read_header, weights_sha256
from trainer.config import PEAK_RATES, Config
from trainer.device import choose_precision
from trainer.state import State
from trainer.train import train, validate

BATCH = 128
_RATE = 1 / 3  # of that from random weights
_AVERAGE = 0.99  # decay per step of the weights' moving average: a run has few hundred steps
STEPS = 10  # shares of the change that are tried: 1, 0.9, ... 0.1


@dataclass(frozen=True)
class Tuned:
    """The run folder, and which share of the change of weights was kept, 0..1; 0: none of it."""

    run: Path
    share: float


def tune(
    data: DataSet, init: Path, run: Path, limit: float, minutes: float = 0.0, seed: int = 0
) -> Tuned:
    """Train once through `data` from the weights `init`, into the run folder `run`.

    best.safetensors then has the largest share of the change that loses no more than `limit` of
    exact numbers on `data`'s val, or the weights as they were. `minutes` ends the training early
    where it is not 0.
    """
    weights = find_weights(init)
    model = read_header(weights).model
    config = Config(
        model,
        epochs=1,
        epoch_images=data.count("train"),
        batch=min(BATCH, data.count("train")),
        rate=_RATE * PEAK_RATES[model],
        average=_AVERAGE,
        val_images=data.count("val"),
        max_minutes=minutes,
        seed=seed,
        init=weights_sha256(weights),
        optimizer="adamw",  # Muon learns less of one hand before it harms the others: LOG.md
    )
    state = State(config, torch.device("cpu"))
    state.start_from(weights)
    before = copy_weights(state.average)
    run.mkdir(parents=True, exist_ok=True)
    _, accuracy = _validate(data, state)
    train(data, run, state)
    share = retreat(state, before, data, accuracy - limit)
    _, state.accuracy = _validate(data, state)
    state.save(run / BEST, data.manifest)
    return Tuned(run, share)


def retreat(state: State, before: dict[str, Tensor], data: DataSet, least: float) -> float:
    """Go back from the averaged weights towards `before` until `least` of val is read exactly.

    Returns the share of the change that is kept, 0 where none of the shares tried is enough.
    """
    after = copy_weights(state.average)
    for step in range(STEPS, 0, -1):
        mix_weights(state.average, before, after, step / STEPS)
        if _validate(data, state)[1] >= least:
            return step / STEPS
    mix_weights(state.average, before, after, 0)
    return 0.0


def _validate(data: DataSet, state: State) -> tuple[float, float]:
    return validate(data, state, choose_precision(state.config.precision, state.device))
