"""The four networks: float32 (b, 1, 32, 128) in 0..1 to float32 CTC logits (b, T, classes)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from shards.canvas import HEIGHT, WIDTH
from shards.errors import UserError

CLASSES = 11  # class 0 is the CTC blank, class d + 1 the digit d
MODELS = ("base", "optimized", "lightweight", "nano")

SURROUND = 4  # image columns looked at on either side of those that a time step covers
INK = 0.15  # the least brightness that counts as ink
NO_INK_PENALTY = -1e3  # added to the digit logits of a step without ink


class Reader(nn.Module):
    """Features of an image, read step by step; steps that see no ink may not emit a digit.

    `features` maps (b, 1, 32, 128) to (b, channels, 1 or more, T); `sequence` maps
    (b, T, channels * height) to logits (b, T, classes). T is 64 for nano, else 32 or 33.
    """

    def __init__(self, features: nn.Module, sequence: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.sequence = sequence

    def forward(self, image: Tensor) -> Tensor:
        """Float32 (b, 1, 32, 128) in 0..1 to float32 logits (b, T, classes)."""
        columns = self.features(image).flatten(1, 2).transpose(1, 2)
        logits: Tensor = self.sequence(columns).float()
        return logits + ink_mask(image, logits.shape[1], logits.shape[2])


def ink_mask(image: Tensor, steps: int, classes: int) -> Tensor:
    """Float32 (b, steps, classes): 0, or `NO_INK_PENALTY` for the digits where no ink is near.

    `image` is (b, 1, 32, width); training also cuts images narrower (`trainer.trim`).
    Without it training tends to stick: a first digit guessed on the always empty left border.
    """
    width = image.shape[3]
    stride = round(width / steps)
    window = stride + 2 * SURROUND
    padding = (stride * (steps - 1) + window - width) // 2
    columns = image.float().amax(dim=2)
    near = functional.max_pool1d(columns, window, stride=stride, padding=padding)
    penalty = (near < INK).float().transpose(1, 2) * NO_INK_PENALTY
    return functional.pad(penalty.expand(-1, -1, classes - 1), (1, 0))


class Recurrent(nn.Module):
    """A bidirectional LSTM and a linear layer: (b, T, inputs) to (b, T, outputs)."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * hidden, outputs)

    def forward(self, columns: Tensor) -> Tensor:
        """(b, T, inputs) to (b, T, outputs); on CUDA the LSTM computes in float32, which is TF32.

        What autocast makes of a bfloat16 LSTM there depends on the version of torch: float16
        without a scale for its gradients, or kernels step by step instead of cuDNN.
        """
        if columns.is_cuda:
            with torch.autocast("cuda", enabled=False):
                hidden, _ = self.lstm(columns.float())
        else:
            hidden, _ = self.lstm(columns)
        return self.linear(hidden)  # type: ignore[no-any-return]


def _conv(inputs: int, outputs: int, kernel: int = 3, norm: bool = False) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=1 if kernel == 3 else 0)
    return [conv, *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]


def _crnn_features(channels: tuple[int, ...]) -> nn.Sequential:
    """Build the seven convolutions of crnn.pytorch (arXiv 1507.05717): height 32 to 1, T = 33."""
    layers: list[nn.Module] = []
    for layer, (inputs, outputs) in enumerate(zip((1, *channels), channels, strict=False)):
        layers += _conv(inputs, outputs, 2 if layer == 6 else 3, norm=layer in (2, 4, 6))
        if layer in (0, 1):
            layers.append(nn.MaxPool2d(2))
        if layer in (3, 5):
            layers.append(nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
    return nn.Sequential(*layers)


def _base(classes: int) -> Reader:
    features = _crnn_features((64, 128, 256, 256, 512, 512, 512))
    return Reader(features, nn.Sequential(Recurrent(512, 256, 256), Recurrent(256, 256, classes)))


def _optimized(classes: int) -> Reader:
    features = _crnn_features((32, 64, 128, 128, 256, 256, 256))
    return Reader(features, Recurrent(256, 256, classes))


def _lightweight(classes: int) -> Reader:
    """Five convolutions, height 32 to 2, T = 32."""
    features = nn.Sequential(
        *_conv(1, 16),
        nn.MaxPool2d(2),
        *_conv(16, 32),
        nn.MaxPool2d(2),
        *_conv(32, 64),
        *_conv(64, 64),
        nn.MaxPool2d((2, 1)),
        *_conv(64, 64, norm=True),
        nn.MaxPool2d((2, 1)),
    )
    return Reader(features, nn.Sequential(Recurrent(128, 256, 256), Recurrent(256, 256, classes)))


class Residual(nn.Module):
    """ReLU(x + body(x)), the shape kept."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, height, width) to the same."""
        return functional.relu(x + self.body(x))


def _norm_conv(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> list[nn.Module]:
    """Build a convolution without bias and its batch norm, which export folds into it."""
    padding = (kernel[0] // 2, kernel[1] // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def _separable(channels: int, kernel: tuple[int, int]) -> Residual:
    depthwise = _norm_conv(channels, channels, kernel, groups=channels)
    return Residual(*depthwise, nn.ReLU(), *_norm_conv(channels, channels, (1, 1)))


class HalfSteps(nn.Linear):
    """A linear layer that reads each column twice, its left and its right half.

    (b, columns, inputs) to (b, 2 * columns, classes): a narrow 11 needs a blank between its digits,
    three steps within a few columns.
    """

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__(inputs, 2 * classes)

    def forward(self, columns: Tensor) -> Tensor:
        """(b, columns, inputs) to (b, 2 * columns, classes)."""
        both = super().forward(columns)
        return both.reshape(-1, 2 * both.shape[1], both.shape[2] // 2)


def _nano(classes: int) -> Reader:
    """No recurrence: small residual convolutions, then depthwise ones along the number; T = 64."""
    collapse = nn.Conv2d(64, 96, (HEIGHT // 8, 1), bias=False)
    features = nn.Sequential(
        *_norm_conv(1, 16, stride=(2, 2)),
        nn.ReLU(),
        Residual(*_norm_conv(16, 16)),
        Residual(*_norm_conv(16, 16), nn.ReLU(), *_norm_conv(16, 16)),
        *_norm_conv(16, 32, stride=(2, 2)),
        nn.ReLU(),
        Residual(*_norm_conv(32, 32), nn.ReLU(), *_norm_conv(32, 32)),
        *_norm_conv(32, 64, stride=(2, 1)),
        nn.ReLU(),
        _separable(64, (3, 3)),
        collapse,
        nn.BatchNorm2d(96),
        nn.ReLU(),
        *(_separable(96, (1, width)) for width in (5, 5, 7, 7)),
    )
    return Reader(features, HalfSteps(96, classes))


def build_model(name: str, classes: int = CLASSES) -> Reader:
    """One of `MODELS` with random weights from torch's generator.

    Raises UserError when the name is not one of them.
    """
    builders = {"base": _base, "optimized": _optimized, "lightweight": _lightweight, "nano": _nano}
    if name not in builders:
        raise UserError(f"model {name!r} is unknown; choose one of {', '.join(MODELS)}")
    return builders[name](classes)


def count_parameters(model: nn.Module) -> int:
    """How many numbers training adjusts."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_steps(name: str) -> int:
    """T, into how many time steps the network `name` divides an image."""
    with torch.device("meta"):
        logits = build_model(name).eval()(torch.empty(1, 1, HEIGHT, WIDTH))
    return int(logits.shape[1])


def build_seeded(name: str, seed: int) -> Reader:
    """`build_model` with weights decided by `seed`; torch's own generator is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_model(name)
