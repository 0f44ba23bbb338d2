"""A small network that learns single digits: convolutions, augmentation, one training loop."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 28
BATCH = 128
PEAK_RATE = 6e-3


def build_network() -> nn.Sequential:
    """About 41,000 parameters; float32 (b, 1, 28, 28) in 0..1 to logits (b, 10)."""
    return nn.Sequential(
        *_conv(1, 16),
        *_conv(16, 24),
        nn.MaxPool2d(2),
        *_conv(24, 40),
        nn.MaxPool2d(2),
        *_conv(40, 64),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(64 * 9, 10),
    )


def train(images: np.ndarray, labels: np.ndarray, epochs: int, seed: int) -> nn.Module:
    """Train on uint8 (n, 28, 28) and their digits (n,); the same seed, the same network."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = build_network()
    x = torch.from_numpy(images)[:, None]
    y = torch.from_numpy(labels).long()
    steps = len(x) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_RATE, total_steps=epochs * steps, pct_start=0.2
    )
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=random)[: steps * BATCH]
        for rows in order.view(steps, BATCH):
            logits = network(augment(x[rows].float() / 255, random))
            loss = functional.cross_entropy(logits, y[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def read(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """The digits, int64 (n,), that a network reads in uint8 (n, 28, 28)."""
    chunks = torch.split(torch.from_numpy(images)[:, None], 1000)
    digits: np.ndarray = torch.cat([network(c.float() / 255).argmax(1) for c in chunks]).numpy()
    return digits


def augment(x: Tensor, random: torch.Generator) -> Tensor:
    """Bend each image of (b, 1, 28, 28), then make its ink fatter or thinner, softer, darker."""
    x = functional.grid_sample(x, _grid(x, random), align_corners=False)
    weight = _uniform(0, 1, (len(x), 1, 1, 1), random)
    chance = _uniform(0, 1, (len(x), 1, 1, 1), random)
    fat = functional.max_pool2d(x, 3, 1, 1)
    thin = -functional.max_pool2d(-x, 3, 1, 1)
    x = torch.where(chance < 0.25, x + 0.8 * weight * (fat - x), x)
    x = torch.where(chance > 0.85, x + 0.5 * weight * (thin - x), x)
    soft = functional.avg_pool2d(x, 3, 1, 1)
    chance = _uniform(0, 1, (len(x), 1, 1, 1), random)
    x = torch.where(chance < 0.3, x + weight * (soft - x), x)
    return (x * _uniform(1, 1.5, (len(x), 1, 1, 1), random)).clamp(0, 1)


def _grid(x: Tensor, random: torch.Generator) -> Tensor:
    """Where each pixel looks, (b, 28, 28, 2): a random affine map and a smooth displacement."""
    n = len(x)
    angle, shear = _uniform(-0.15, 0.15, (n,), random), _uniform(-0.2, 0.2, (n,), random)
    width, height = _uniform(0.88, 1.12, (2, n), random)
    maps = torch.zeros(n, 2, 3)
    maps[:, 0, 0], maps[:, 0, 1] = width * angle.cos(), shear - angle.sin()
    maps[:, 1, 0], maps[:, 1, 1] = angle.sin(), height * angle.cos()
    maps[:, :, 2] = _uniform(-0.1, 0.1, (n, 2), random)
    knots = _uniform(-0.09, 0.09, (n, 2, 5, 5), random)
    bend = functional.interpolate(knots, (SIDE, SIDE), mode="bicubic", align_corners=True)
    grid = functional.affine_grid(maps, list(x.shape), align_corners=False)
    return grid + bend.permute(0, 2, 3, 1)


def _uniform(low: float, high: float, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=random)


def _conv(inputs: int, outputs: int) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
