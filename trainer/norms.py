"""Batch norms over the samples of all ranks, so that their number does not change the weights."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join_norms(model: nn.Module) -> nn.Module:
    """Let the batch norms of `model`, while it trains, see the samples of all ranks.

    Parameters and buffers stay the very tensors. torch's SyncBatchNorm is for devices alone; on
    the CPU `JointNorm` does the same.
    """
    if any(parameter.is_cuda for parameter in model.parameters()):
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call,no-any-return]
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = JointNorm
    return model


class JointNorm(nn.BatchNorm2d):
    """A batch norm whose mean and variance are those of all ranks' samples together."""

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, height, width) to the same; b need not be the same on all ranks."""
        if not self.training or self.momentum is None:
            return super().forward(x)
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        size = values.new_tensor([x.numel() / x.shape[1]])  # numbers of a channel
        sums = _Total.apply(torch.cat([values.sum((0, 2, 3)), size]))  # type: ignore[no-untyped-call]
        count = sums[-1].detach()
        mean = sums[:-1] / count
        centred = values - mean[:, None, None]
        squares = _Total.apply(centred.square().sum((0, 2, 3)))  # type: ignore[no-untyped-call]
        variance = squares / count
        self._remember(mean.detach(), (squares / (count - 1)).detach(), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        result: Tensor = centred * scale[:, None, None] + self.bias[:, None, None]
        return result.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, share: float) -> None:
        """Move the running statistics towards those of a batch; the variance is the unbiased."""
        for kept, new in ((self.running_mean, mean), (self.running_var, variance)):
            if kept is not None:
                kept.lerp_(new, share)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1


class _Total(torch.autograd.Function):
    """The sum of a tensor over all ranks, the same bits on each."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # noqa: ARG004
        """Add up what the ranks have."""
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Tensor:  # noqa: ARG004
        """Add up, too: what each has counts in the loss of every rank."""
        total = outer.clone()
        dist.all_reduce(total)
        return total
