"""Logits of a network, or of an ONNX file, for the images of a split."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from shards.reader import DataSet
from trainer.data import to_input
from trainer.device import autocast
from trainer.models import Reader

_BATCH = 256

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def chunks(data: DataSet, split: str, count: int, size: int = _BATCH) -> Iterator[np.ndarray]:
    """Yield the indices of the first `count` samples of a split (at most all), `size` at a time."""
    stop = min(count, data.count(split))
    for start in range(0, stop, size):
        yield np.arange(start, min(start + size, stop))


def by_torch(model: Reader, device: torch.device, precision: torch.dtype) -> Predict:
    """Images uint8 (n, 32, 128) to float32 logits (n, T, 11), by a model in eval mode."""

    @torch.inference_mode()
    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        inputs = to_input(torch.from_numpy(images)[:, None].to(device))
        with autocast(device, precision):
            logits: NDArray[np.float32] = model(inputs).float().cpu().numpy()
        return logits

    return predict
