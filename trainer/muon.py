"""Muon: steps as long in every direction of a weight matrix; AdamW for what is no matrix."""

import math
from collections import defaultdict

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95
_LEAST_SIDE = 16  # of a weight that counts as a matrix: depthwise filters have 9 columns at most
_RMS = 0.2  # of a step at rate 1, about that of AdamW, so that one rate serves both
_ROUNDS = 5
_QUINTIC = 3.4445, -4.7750, 2.0315


class Muon:
    """Momentum whose singular values are all set to about 1 before it is added to the weights.

    Keller Jordan et al., Muon: an optimizer for hidden layers in neural networks (2024), with
    Nesterov's momentum, and the scale and weight decay of arXiv 2502.16982. Norms, biases,
    depthwise filters and the first and last layer learn by torch's AdamW; all, without `matrices`.
    """

    def __init__(self, model: nn.Module, weight_decay: float, matrices: bool = True) -> None:
        self._parameters = list(model.parameters())
        self._weight_decay = weight_decay
        weights = [parameter for parameter in self._parameters if parameter.ndim > 1]
        self._momenta = {
            weight: torch.zeros_like(weight)
            for weight in weights[:-1]
            if matrices and min(weight.shape[0], weight[0].numel()) >= _LEAST_SIDE
        }
        rest = [parameter for parameter in self._parameters if parameter not in self._momenta]
        self._adamw = torch.optim.AdamW(rest, weight_decay=weight_decay, fused=True)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float, lost: Tensor) -> None:
        """Learn from the gradients at learning rate `rate`.

        Where `lost`, a bool scalar on the device, is true, nothing changes.
        """
        self._adamw.found_inf = lost.float()  # type: ignore[attr-defined]  # as GradScaler says it
        for group in self._adamw.param_groups:
            group["lr"] = rate
        self._adamw.step()
        kept = torch.where(lost, 1.0, 1.0 - rate * self._weight_decay)
        alike: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
        for weight in self._momenta:
            alike[weight.shape[0], weight[0].numel()].append(weight)
        for (rows, columns), weights in alike.items():
            gradients = torch.stack([_gradient(weight) for weight in weights])
            momenta = torch.stack([self._momenta[weight] for weight in weights])
            momenta = torch.where(lost, momenta, momenta.lerp(gradients, 1 - _MOMENTUM))
            directions = orthogonal(gradients.lerp(momenta, _MOMENTUM).flatten(2))
            size = rate * _RMS * math.sqrt(max(rows, columns))
            steps = torch.where(lost, 0.0, directions * size).reshape(gradients.shape)
            for weight, momentum, step in zip(weights, momenta, steps, strict=True):
                self._momenta[weight].copy_(momentum)
                weight.mul_(kept).sub_(step)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps, by `<number of the parameter>.<name>`."""
        found = {}
        for index, parameter in enumerate(self._parameters):
            if parameter in self._momenta:
                found[f"{index}.momentum"] = self._momenta[parameter]
            for name, value in self._adamw.state.get(parameter, {}).items():
                found[f"{index}.{name}"] = value
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `tensors` gave; KeyError or RuntimeError for anything else."""
        began = any(name.endswith(".step") for name in tensors)
        for index, parameter in enumerate(self._parameters):
            if parameter in self._momenta:
                self._momenta[parameter].copy_(tensors[f"{index}.momentum"])
            elif began:
                # Laid out in memory as the parameter is: the fused optimizer walks both in step.
                moments = {
                    name: torch.empty_like(parameter).copy_(tensors[f"{index}.{name}"])
                    for name in ("exp_avg", "exp_avg_sq")
                }
                self._adamw.state[parameter] = {"step": tensors[f"{index}.step"], **moments}


def orthogonal(matrices: Tensor) -> Tensor:
    """Set the singular values of matrices (n, rows, columns) to about 1: 0.7 to 1.2.

    A quintic Newton-Schulz iteration, in the matrices' precision. Singular values of under a
    hundredth of a matrix's norm stay smaller.
    """
    a, b, c = _QUINTIC
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    for _ in range(_ROUNDS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    result: Tensor = x if wide else x.mT
    return result


def _gradient(weight: nn.Parameter) -> Tensor:
    return torch.zeros_like(weight) if weight.grad is None else weight.grad
