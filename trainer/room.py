"""Labels that CTC cannot place: their ink has fewer time steps than they need.

A digit is emitted at a step near ink (`models.ink_mask`), and between two equal digits lies a step
that emits a blank. 32 steps are enough for any label, those near a narrow blot are not.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from shards.errors import UserError
from shards.layout import KEY_DIGITS
from shards.reader import DataSet, Shard
from shards.terminal import progress
from trainer.models import count_steps, ink_mask

_BATCH = 4096
_RARE = 1000  # 1 in so many numbers may be without room: of sound ones, 1 in 500,000 is for base
_NAMED = 10  # on the screen


def check_labels(data: DataSet, splits: Sequence[str], model: str) -> None:
    """Read the labels of all shards of `splits` that are on disk, and print which have no room.

    They teach nothing, since their loss counts as 0 (`ctc.ctc_loss`). Raises UserError, naming
    shard and sample, for a label that is not 1 to 5 digits, and where over 1 in 1,000 of a split
    have no room: they are not the labels of their images.
    """
    steps = count_steps(model)
    for split in splits:
        shards = data.ready_shards(split)
        with progress("shards") as bar:
            tracked = bar.track(shards, len(shards), description=f"labels of {split}")
            found = [name for shard in tracked for name in _without_room(shard, steps)]
        if not found:
            continue
        count = sum(map(len, shards))
        named = "; ".join(found[:_NAMED]) + ("; and more" if found[_NAMED:] else "")
        what = (
            f"{data.where}: {len(found):,} of {count:,} labels of {split} need more steps than "
            f"the {model} has near their ink: {named}"
        )
        if len(found) * _RARE > count:
            raise UserError(f"{what}; they are of other images: mend their labels or remove them")
        print(f"WARNING: {what}; they teach nothing")


def _without_room(shard: Shard, steps: int) -> Iterator[str]:
    digits = shard.digits
    for start in range(0, len(shard), _BATCH):
        part = slice(start, start + _BATCH)
        for row in np.flatnonzero(~have_room(shard.images[part], digits[part], steps)) + start:
            key = bytes(shard.records["txt header"]["key"][row]).decode("ascii", "replace")
            label = "".join(map(str, digits[row][digits[row] >= 0]))
            yield f"{shard.path.name}, sample {key.ljust(KEY_DIGITS)}, {label}"


def have_room(images: np.ndarray, digits: np.ndarray, steps: int) -> np.ndarray:
    """Which labels, int8 (n, 5), CTC can place on their images, uint8 (n, 32, 128): bool (n,)."""
    columns = torch.from_numpy(images.max(axis=1))[:, None, None].float() / 255
    near = ink_mask(columns, steps, 2)[:, :, 1].numpy() == 0
    twice = (digits[:, 1:] == digits[:, :-1]) & (digits[:, 1:] >= 0)
    room: np.ndarray = near.sum(axis=1) >= (digits >= 0).sum(axis=1) + twice.sum(axis=1)
    for row in np.flatnonzero(~room):  # gaps in the ink give room, too
        room[row] = _fits(digits[row].tolist(), near[row].tolist())
    return room


def _fits(digits: list[int], near: list[bool]) -> bool:
    """Place each digit as early as it can be; whether all find a step."""
    last, before = -1, None
    for digit in [digit for digit in digits if digit >= 0]:
        first = last + (2 if digit == before else 1)
        if True not in near[first:]:
            return False
        last, before = near.index(True, first), digit
    return True
