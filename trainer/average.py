"""Between two trainings of a network lie weights that generalize better than either's.

Wortsman et al., "Model soups", 2022, arXiv 2203.05482: the weights of runs that began from the same
ones can be averaged.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shards.errors import UserError
from shards.reader import DataSet
from shards.terminal import progress
from trainer.checkpoint import (
    BEST,
    find_weights,
    load_reader,
    read_header,
    save,
    weights_sha256,
)
from trainer.ctc import greedy_decode
from trainer.likelihood import likelihood
from trainer.models import Reader
from trainer.predict import by_torch, chunks

STEPS = 10  # shares that are tried: 0, 0.1, ... 1
_LEAST = 1e-30  # of a probability: one number that nobody can read must not decide

Weights = dict[str, Tensor]
Losses = dict[float, NDArray[np.float64]]  # of each share, nats, one for each number of val


def average(run: Path, other: Path, out: Path, data: DataSet, images: int) -> tuple[float, Losses]:
    """Write an average of two checkpoints' weights, in the share that `choose` chooses on val.

    Returns the share of `run`'s weights, and the losses on up to `images` of val for each share
    that was tried. `out`, a folder, gets best.safetensors with the header of `run`'s. Raises
    UserError when it has one already, and when the checkpoints are of different networks.
    """
    if (out / BEST).exists():
        raise UserError(f"{out / BEST} exists already; choose another folder")
    cpu = torch.device("cpu")
    model, header = load_reader(find_weights(run), cpu)
    after = copy_weights(model)
    read_header(find_weights(other)).require_model(header.model, find_weights(other))
    before = copy_weights(load_reader(find_weights(other), cpu)[0])
    losses, exact = {}, {}
    with progress("averages") as bar:
        for step in bar.track(range(STEPS + 1), description="reading val"):
            share = step / STEPS
            mix_weights(model, before, after, share)
            losses[share], exact[share] = _read(model, data, images)
    share = choose(losses)
    mix_weights(model, before, after, share)
    out.mkdir(parents=True, exist_ok=True)
    averaged = f"{share:g} of it, the rest {weights_sha256(find_weights(other))}"
    config = header.config | {"averaged": averaged}
    header = replace(header, config=config, accuracy=exact[share], best=exact[share])
    save(out / BEST, header, {f"ema.{name}": value for name, value in model.state_dict().items()})
    return share, losses


def choose(losses: Losses) -> float:
    """Return the share nearest to a half that is no worse than the best by a standard error.

    Which of several good shares is best on a few thousand numbers is chance, and near the middle
    there is most of an average. The error is that of the mean difference of the losses.
    Raises UserError where a loss is not finite.
    """
    means = {share: float(each.mean()) for share, each in losses.items()}
    if not all(map(math.isfinite, means.values())):
        raise UserError(f"the losses on val are {means}, the weights are spoiled; train again")
    best = losses[min(means, key=means.__getitem__)]

    def good(share: float) -> bool:
        worse = losses[share] - best
        return bool(worse.mean() <= worse.std() / np.sqrt(len(worse)))

    return min(filter(good, losses), key=lambda share: abs(share - 0.5))


def copy_weights(module: nn.Module) -> Weights:
    """Return copies of all weights and statistics, by name."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def mix_weights(module: nn.Module, before: Weights, after: Weights, share: float) -> None:
    """Set the weights and statistics of `module` to the share, 0..1, of the way to `after`."""
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.lerp(before[name], after[name], share))


def _read(model: Reader, data: DataSet, images: int) -> tuple[NDArray[np.float64], float]:
    """Losses (n,) and the share of exact numbers on the first of val."""
    predict, losses, exact = by_torch(model, torch.device("cpu")), [], []
    for chunk in chunks(data, "val", images):
        pictures, digits = data.gather("val", chunk)
        logits = predict(pictures)
        losses.append(-np.log(np.maximum(likelihood(logits, digits), _LEAST)))
        exact.append(greedy_decode(logits).equals(digits))
    return np.concatenate(losses), float(np.concatenate(exact).mean())
