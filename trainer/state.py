"""What training changes: weights, their moving average, the optimizer's state, the position."""

import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from shards.errors import UserError
from shards.manifest import Manifest
from trainer.checkpoint import (
    CHARSET,
    VERSION,
    Header,
    load_weights,
    named,
    read_header,
    read_tensors,
    save,
)
from trainer.config import Config
from trainer.models import Reader, build_seeded
from trainer.muon import Muon


class State:
    """A run between two steps; all of it goes into a checkpoint and comes back bit for bit.

    `statistics` is the memory of the batch norms' running means and variances, float32 (n,), so
    that all of them can be kept and put back at once.
    """

    def __init__(self, config: Config, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.model = self._build()
        self.network: nn.Module = self.model  # what a step calls; see `Ranks.network`
        self.average = self._build().eval().requires_grad_(False)
        self.statistics = _in_one(_norm_statistics(self.model))
        self.optimizer = Muon(self.model, config.weight_decay, config.optimizer == "muon")
        self.epoch = 0  # the one in progress
        self.step = 0  # how many of its steps are done
        self.updates = 0  # steps since the beginning of the run
        self.accuracy = 0.0  # on val, when last measured
        self.best = 0.0
        self.losses: list[float] = []  # of the steps of the epoch in progress, nan where skipped
        self.skipped = 0  # steps in a row without a finite loss or gradient
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the run has taken, without the time between an end and a resume."""
        return time.monotonic() - self._began

    def share_done(self, steps: int) -> float:
        """How much of a run of `steps` steps lies behind, 0..1, by steps or by time."""
        minutes = self.config.max_minutes
        by_time = self.seconds / 60 / minutes if minutes else 0.0
        return max(self.updates / steps, by_time)

    def update_average(self) -> None:
        """Move the averaged weights towards the current ones; faster at the beginning."""
        decay = min(self.config.average, self.updates / (self.updates + 10))
        pairs = zip(_floats(self.average), _floats(self.model), strict=True)
        averages, currents = zip(*pairs, strict=True)
        torch._foreach_lerp_(averages, currents, 1 - decay)

    def start_from(self, path: Path) -> None:
        """Take the averaged weights of a checkpoint; UserError when it is of another model."""
        header = read_header(path)
        header.require_model(self.config.model, path)
        weights = named("ema", read_tensors(path, self.device))
        load_weights(self.model, weights, path)
        load_weights(self.average, weights, path)

    def save(self, path: Path, manifest: Manifest) -> None:
        """Write a checkpoint."""
        header = Header(
            version=VERSION,
            model=self.config.model,
            charset=CHARSET,
            config=asdict(self.config),
            epoch=self.epoch,
            step=self.step,
            updates=self.updates,
            seconds=self.seconds,
            accuracy=self.accuracy,
            best=self.best,
            data=f"{manifest.name} {manifest.version}",
            fingerprint=manifest.fingerprint,
        )
        save(path, header, self._tensors())

    @classmethod
    def load(cls, path: Path, device: torch.device) -> "State":
        """Continue where the checkpoint was written; UserError when it is not one of ours."""
        header = read_header(path)
        state = cls(Config.from_dict(header.config), device)
        tensors = read_tensors(path, device)
        load_weights(state.model, named("model", tensors), path)
        load_weights(state.average, named("ema", tensors), path)
        try:
            state.optimizer.load(named("optimizer", tensors))
            torch.set_rng_state(tensors["random"].cpu())
        except (KeyError, TypeError, RuntimeError) as error:
            raise UserError(
                f"{path} lacks what a run needs to go on; use --init to start from its weights"
            ) from error
        state.epoch, state.step, state.updates = header.epoch, header.step, header.updates
        state.accuracy, state.best = header.accuracy, header.best
        state.losses = (
            tensors["losses"].tolist() if "losses" in tensors else []
        )  # version 1 has none
        state._began -= header.seconds
        return state

    def _build(self) -> Reader:
        model = build_seeded(self.config.model, self.config.seed).to(self.device)
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _tensors(self) -> dict[str, Tensor]:
        return {
            **{f"model.{name}": value for name, value in self.model.state_dict().items()},
            **{f"ema.{name}": value for name, value in self.average.state_dict().items()},
            **{f"optimizer.{name}": value for name, value in self.optimizer.tensors().items()},
            "losses": torch.tensor(self.losses, dtype=torch.float32),
            "random": torch.get_rng_state(),
        }


def _norm_statistics(module: nn.Module) -> list[Tensor]:
    return [buffer for buffer in module.buffers() if buffer.is_floating_point()]


def _in_one(vectors: list[Tensor]) -> Tensor:
    """Move vectors into one tensor, of which they become parts."""
    whole = torch.cat(vectors)
    for vector, part in zip(vectors, torch.split(whole, [len(v) for v in vectors]), strict=True):
        vector.data = part
    return whole


def _floats(module: nn.Module) -> list[Tensor]:
    return [value for value in module.state_dict().values() if value.is_floating_point()]
