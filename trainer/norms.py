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
        variance, mean = torch.var_mean(values, (0, 2, 3), correction=0)
        size = torch.full_like(mean, x.numel() / x.shape[1])  # numbers of a channel
        own = torch.stack([mean, variance, size])
        means, variances, sizes = _Gathered.apply(own).unbind(1)  # type: ignore[no-untyped-call]
        count = sizes.sum(0)
        mean = (sizes * means).sum(0) / count
        # The variance of all is the mean one within the ranks and that of their means.
        variance = (sizes * (variances + (means - mean).square())).sum(0) / count
        self._remember(mean.detach(), (variance * count / (count - 1)).detach(), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        centred: Tensor = values - mean[:, None, None]
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, share: float) -> None:
        """Move the running statistics towards those of a batch; the variance is the unbiased."""
        for kept, new in ((self.running_mean, mean), (self.running_var, variance)):
            if kept is not None:
                kept.lerp_(new, share)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1


class _Gathered(torch.autograd.Function):
    """A tensor of each rank, in the order of the ranks: (...) to (ranks, ...)."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:  # noqa: ARG004
        """Gather what the ranks have."""
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, own)
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Tensor:  # noqa: ARG004
        """Add up: what a rank has counts in the loss of every rank."""
        total = outer.clone()
        dist.all_reduce(total)
        return total[dist.get_rank()]
