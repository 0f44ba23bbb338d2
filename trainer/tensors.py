"""What a safetensors file of a stranger may hold, by an allow-list, before a tensor is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from shards.errors import UserError
from trainer.models import build_seeded

_MAX_BYTES = 1 << 29  # a checkpoint of base, the largest network, has 133 MB
_MAX_HEADER = 1 << 20
_FREE = {  # tensors that any network may have, of one dimension: their type and longest
    "random": ("U8", 1 << 16),  # the state of torch's generator
    "losses": ("F32", 1 << 22),
}
_PICKLES = (b"PK", *(bytes([0x80, protocol]) for protocol in range(1, 6)))
_DTYPES = {torch.float32: "F32", torch.int64: "I64"}


@contextmanager
def open_tensors(path: Path, device: str = "cpu") -> Iterator[Any]:
    """Open a safetensors file of at most 512 MiB with a header of at most 1 MiB.

    Raises UserError for a pickle, a size over these, a header that lies, and where the body of
    the `with` finds the file damaged.
    """
    if not path.is_file():
        raise UserError(f"{path} is no checkpoint file; give a run folder or a .safetensors file")
    with path.open("rb") as file:
        start = file.read(9)
    # torch.save writes a zip of one, or one; safetensors begins with any length, then JSON.
    if start[:2] in _PICKLES and start[8:] != b"{":
        raise UserError(
            f"{path} is a pickle, which can run any code when it is loaded: it is not read; give "
            "a .safetensors file"
        )
    sizes = (path.stat().st_size, _MAX_BYTES), (int.from_bytes(start[:8], "little"), _MAX_HEADER)
    for name, (size, limit) in zip(("it", "its header"), sizes, strict=True):
        if size > limit:
            raise UserError(
                f"{path} is damaged or no checkpoint of this trainer: {name} has {size:,} bytes, "
                f"over {limit:,}"
            )
    try:
        with safe_open(path, "pt", device=device) as tensors:
            yield tensors
    except SafetensorError as error:
        raise UserError(f"{path} is damaged or no checkpoint of this trainer ({error})") from error


def require_known(tensors: Any, model: str, path: Path) -> None:
    """Raise UserError for a tensor that no checkpoint of `model` has, by name, type and shape."""
    known = _known(model)
    for name in tensors.keys():  # noqa: SIM118
        found = tensors.get_slice(name)
        kind, shape = found.get_dtype(), tuple(found.get_shape())
        if name in _FREE:
            free, longest = _FREE[name]
            same = kind == free and len(shape) == 1 and shape[0] <= longest
        else:
            same = known.get(name) == (kind, shape)
        if not same:
            wanted, size = known.get(name, ("", ()))
            raise UserError(
                f"{path} holds the weights of another network: {name!r} is {kind} of shape "
                f"{list(shape)}, a {model} has "
                + (f"{wanted} of shape {list(size)}" if wanted else "no such tensor")
            )


def _known(model: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    with torch.device("meta"):
        network = build_seeded(model, 0)
    known = {
        f"{part}.{name}": (_DTYPES[value.dtype], tuple(value.shape))
        for part in ("model", "ema")
        for name, value in network.state_dict().items()
    }
    for index, parameter in enumerate(network.parameters()):
        known[f"optimizer.{index}.step"] = "F32", ()
        for moment in ("exp_avg", "exp_avg_sq", "momentum"):
            known[f"optimizer.{index}.{moment}"] = "F32", tuple(parameter.shape)
    return known
