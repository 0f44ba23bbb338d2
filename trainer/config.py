"""All that decides a run's weights, with the data set."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from shards.errors import UserError
from trainer.models import MODELS

_MAX_NUMBER = 1 << 53  # up to which JSON keeps whole numbers everywhere
PRECISIONS = ("auto", "bf16", "float32")
PEAK_RATES = {"nano": 3e-3, "lightweight": 1e-3, "optimized": 1e-3, "base": 1e-3}


@dataclass(frozen=True)
class Config:
    """The options of a run; 0 for `rate`, `epoch_images` and `max_minutes` means unset.

    The learning rate rises linearly over the first `warmup` of the run and then falls along a
    cosine to 0. `max_minutes` ends the run early, with the rate fallen to 0 all the same.
    Raises UserError for a value that no run could use.
    """

    model: str
    epochs: int = 10
    epoch_images: int = 0  # images in an epoch; unset: all of train, at most 120,000
    batch: int = 256
    rate: float = 0.0  # the highest learning rate; unset: 3e-3 for nano, 1e-3 for the others
    warmup: float = 0.05  # share of the run
    weight_decay: float = 0.01
    clip: float = 1.0  # the longest gradient, in the Euclidean norm
    average: float = 0.999  # decay per step of the weights' moving average
    max_minutes: float = 0.0
    val_images: int = 3_000  # at most
    seed: int = 0
    precision: str = "auto"
    optimizer: str = "muon"  # of the weight matrices, or "adamw" for all alike
    candidates: int = 1  # how many times as many images a step looks at as it trains on
    judge: str = ""  # that chooses from them: SHA-256 over its weights
    init: str = ""  # SHA-256 over the weights that the run began from; unset: random ones
    averaged: str = ""  # share of the run's weights in an average, and SHA-256 over the others

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise UserError(f"model {self.model!r} is unknown; choose one of {', '.join(MODELS)}")
        if self.optimizer not in ("muon", "adamw"):
            raise UserError(f"optimizer {self.optimizer!r} is unknown; choose muon or adamw")
        if self.precision not in PRECISIONS:
            raise UserError(
                f"precision {self.precision!r} is unknown; choose one of {', '.join(PRECISIONS)}"
            )
        if min(self.epochs, self.val_images, self.batch, self.candidates) < 1:
            raise UserError(
                "epochs, batch, validation images and candidates must each be 1 or more"
            )
        for name, value in asdict(self).items():
            if not _in_range(value):
                raise UserError(
                    f"{name.replace('_', ' ')} is {value}; it must not be negative, and less than "
                    f"{_MAX_NUMBER:,}"
                )

    @classmethod
    def from_dict(cls, options: dict[str, Any]) -> "Config":
        """Return the config that a checkpoint's header holds; UserError when it is not one."""
        kinds = {name: type(value) for name, value in asdict(cls("nano")).items()}
        for name, value in options.items():
            allowed = (float, int) if kinds.get(name) is float else (kinds.get(name),)
            if type(value) not in allowed or not _in_range(value):
                raise UserError(
                    f"the checkpoint's option {name} = {value!r} is none of this trainer; "
                    "use --init to start a new run from its weights"
                )
        if "model" not in options:
            raise UserError("the checkpoint's options lack the model; start a new run")
        return cls(**options)

    def rate_at(self, done: float) -> float:
        """Return the learning rate when the share `done`, 0..1, of the run lies behind."""
        peak = self.rate or PEAK_RATES[self.model]
        if done < self.warmup:
            return peak * (0.01 + 0.99 * done / self.warmup)
        falling = min(1.0, (done - self.warmup) / (1 - self.warmup))
        return peak * (1 + math.cos(math.pi * falling)) / 2


def _in_range(value: str | float) -> bool:
    return isinstance(value, str) or 0 <= value < _MAX_NUMBER
