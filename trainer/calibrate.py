"""One temperature for the logits, so that a confidence of 0.9 is right nine times in ten.

Dividing all logits by one number leaves what is read as it is and makes the reader more or less
sure of it (Guo et al., "On calibration of modern neural networks", 2017, arXiv 1706.04599, 4.2).
It goes into the weights of the last layer, so that it costs nothing, and a masked digit, whose
penalty is added behind that layer, stays as impossible as it was.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from shards.reader import DataSet
from trainer.ctc import greedy_decode
from trainer.models import Reader
from trainer.predict import by_torch, chunks

CALIBRATION = 4_000  # numbers of val
TEMPERATURES = np.geomspace(0.5, 4, 61)  # 3.5 % apart; the loss is flat around its minimum


def calibrate(model: Reader, data: DataSet, images: int = CALIBRATION) -> float:
    """Fit the temperature on up to `images` of the val split, and soften `model` by it.

    Returns the temperature. Raises UserError when the set has no val images.
    """
    predict = by_torch(model, torch.device("cpu"))
    logits, truth = [], []
    for chunk in chunks(data, "val", images):
        batch, digits = data.gather("val", chunk)
        logits.append(predict(batch))
        truth.append(digits)
    temperature = best_temperature(np.concatenate(logits), np.concatenate(truth))
    soften(model, temperature)
    return temperature


def best_temperature(logits: NDArray[np.float32], truth: NDArray[np.int8]) -> float:
    """Return the one of `TEMPERATURES` whose confidences say best which numbers are right.

    `logits` is (n, T, classes), `truth` int8 (n, 5), -1 where absent.
    """
    right = greedy_decode(logits).equals(truth)
    losses = [
        surprise(greedy_decode(logits / np.float32(temperature)).confidence, right)
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[np.argmin(losses)])


def surprise(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """Mean negative log likelihood, in nats, of which of n numbers are right.

    Its targets are a little less than certain, as if one more number were right and one wrong
    (Platt, "Probabilistic outputs for support vector machines", 1999, 2.2): without errors the
    best temperature would be 0.
    """
    count = int(right.sum())
    target = np.where(right, (count + 1) / (count + 2), 1 / (len(right) - count + 2))
    chance = np.clip(confidence.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-(target * np.log(chance) + (1 - target) * np.log(1 - chance)).mean())


@torch.no_grad()
def soften(model: Reader, temperature: float) -> None:
    """Divide the last layer's weights, and so the logits before the ink mask, by `temperature`."""
    head = [layer for layer in model.modules() if isinstance(layer, nn.Linear)][-1]
    head.weight.div_(temperature)
    head.bias.div_(temperature)
