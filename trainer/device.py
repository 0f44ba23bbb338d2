"""Where the arithmetic runs, and in which precision."""

import torch

from shards.errors import UserError


def choose_device(name: str, number: int | None = None) -> torch.device:
    """`cpu`, `cuda` or `auto` (CUDA where there is one); UserError when it is not there.

    `number` says which of the CUDA devices, where processes share them out.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise UserError(f"device {name!r} is unknown; choose one of auto, cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("no CUDA device was found here; use --device cpu or auto")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if number is None:
        return torch.device("cuda")
    if number >= torch.cuda.device_count():
        raise UserError(
            f"rank {number} of this machine has no CUDA device of its own, there are "
            f"{torch.cuda.device_count()}; start no more ranks than that, or use --device cpu"
        )
    return torch.device("cuda", number)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """What one of `config.PRECISIONS` means: `auto` is bfloat16 where the device computes in it."""
    precisions = {"bf16": torch.bfloat16, "float32": torch.float32}
    if name in precisions:
        return precisions[name]
    native = (
        torch.cuda.is_bf16_supported(including_emulation=False)
        if device.type == "cuda"
        else torch.cpu._is_avx512_bf16_supported()  # nano: 1,230 images/s a core against 650
    )
    return torch.bfloat16 if native else torch.float32


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Mixed precision for a forward pass; changes nothing in float32."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def prepare(device: torch.device) -> None:
    """Let cuDNN try its algorithms for each shape once and keep the fastest, as training pays."""
    torch.backends.cudnn.benchmark = device.type == "cuda"
