"""Steps that were skipped: the keys of their samples are written down; ten in a row end the run."""

import math
from dataclasses import dataclass

import numpy as np

from shards.errors import UserError
from shards.reader import DataSet
from trainer.log import SKIPPED, RunLog
from trainer.meter import Meter
from trainer.state import State

ANEW = (
    "the checkpoints are those of before: begin another run, from one of them by --init or from "
    "none, with a lower --rate"
)
_MAX_SKIPPED = 10  # steps in a row without a finite loss or gradient


@dataclass(frozen=True)
class Skips:
    """The skipped steps of one epoch, whose samples are `indices`, int64 (steps, batch), of train.

    With a judge these are all that a step looked at, of which it trained on some. A step is skipped
    when its loss or gradient is not finite (see `trainer.train.update`).
    """

    data: DataSet
    indices: np.ndarray
    log: RunLog

    def read(self, state: State, meter: Meter) -> None:
        """Read the losses of the steps since the last call; note those that were skipped.

        Raises UserError at the tenth skipped step in a row.
        """
        losses = meter.read()
        for later, loss in zip(range(len(losses) - 1, -1, -1), losses, strict=True):
            state.skipped = 0 if math.isfinite(loss) else state.skipped + 1
            if state.skipped:
                self._note(state, later)
            if state.skipped == _MAX_SKIPPED:
                raise UserError(
                    f"the loss or its gradient has not been finite for {_MAX_SKIPPED} steps in a "
                    f"row before step {state.updates}; {self.log.folder / SKIPPED} names their "
                    f"samples, {ANEW}"
                )

    def _note(self, state: State, later: int) -> None:
        """Write down the step before `later` others."""
        rows = self.indices[state.step - 1 - later]
        names = self.data.names("train", rows)
        self.log.note_skipped(state.updates - later, state.epoch, names)
