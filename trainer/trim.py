"""Batches without their empty columns: of an average image almost half is black on the left."""

import torch
from torch import Tensor, nn

from trainer.data import Batch
from trainer.models import INK, SURROUND

_LEAST = 32  # columns
_STRIDE = 16  # a multiple of what any network pools, so that its grid stays where it is


def best_parts(model: nn.Module) -> int:
    """Into how many parts a step should divide its batch: more than 1 where that trains faster.

    On a CPU nano trains 1.3 times as fast in 2, and the networks with an LSTM, the large ones, 1.4
    to 1.6 times in 4 (LOG.md). A CUDA device wants its batches whole.
    """
    if next(model.parameters()).device.type != "cpu":
        return 1
    recurrent = any(isinstance(module, nn.LSTM) for module in model.modules())
    return 4 if recurrent else 2


def trimmed(batch: Batch, parts: int) -> list[Batch]:
    """Divide a batch into at most `parts` of samples of like width, without their empty columns.

    Images become uint8 (b / parts, 1, 32, w), w a multiple of 16 from 32 to 128, cut on the left,
    where all of a part have no ink. Each sample is in one part; one part is the batch as it is.
    """
    if parts == 1:
        return [batch]
    return [
        Batch(images, batch.digits[rows], None if batch.weights is None else batch.weights[rows])
        for rows, images in by_width(batch.images, parts)
    ]


def by_width(images: Tensor, parts: int) -> list[tuple[Tensor, Tensor]]:
    """Give the rows of each part, int64, and their images, cut as `trimmed` says."""
    if parts == 1:
        return [(torch.arange(len(images), device=images.device), images)]
    left = _first_ink(images)
    rows = left.argsort(descending=True, stable=True).chunk(parts)
    return [(part, _cut(images[part], int(left[part].min()))) for part in rows]


def _first_ink(images: Tensor) -> Tensor:
    """Return the first column with ink, 0 where there is none; int64 (b,)."""
    return (images.amax(dim=(1, 2)) >= INK * 255).int().argmax(dim=1)


def _cut(images: Tensor, ink: int) -> Tensor:
    width = images.shape[3]
    start = max(0, min(ink - SURROUND, width - _LEAST)) // _STRIDE * _STRIDE
    return images[..., start:]
