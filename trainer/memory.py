"""Memory that does not suffice, on the CPU or on a device, told in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from shards.errors import UserError

# torch's CPU allocator raises a RuntimeError of its own words, oneDNN one of these.
_SAID = ("can't allocate memory", "could not create a memory", "could not create a primitive")
# CUDA's and its libraries', where torch's own allocator was not asked.
_CUDA_SAID = (
    "CUDA error: out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


@contextmanager
def told_when_short(way_out: str = "") -> Iterator[None]:
    """Raise as UserError, which ends in `way_out`, what tells that memory was used up."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            free, whole = (size / 1e9 for size in torch.cuda.mem_get_info())
            short = f"the memory of the CUDA device ({free:.1f} of {whole:.1f} GB free)"
        elif any(said in str(error) for said in _CUDA_SAID):
            short = "the memory of the CUDA device"
        elif isinstance(error, MemoryError) or any(said in str(error) for said in _SAID):
            short = "the memory of this machine, or this process's share of it,"
        else:
            raise
        raise UserError(f"{short} does not suffice; end other programs{way_out}") from error
