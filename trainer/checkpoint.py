"""Checkpoints: tensors in safetensors, all else as JSON in its header; nothing is pickled."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from shards.errors import UserError
from shards.files import replacing
from shards.schema import expect, expect_fields
from trainer.models import MODELS, Reader, build_seeded
from trainer.shipped import FOLDER
from trainer.tensors import open_tensors, require_known

VERSION = 2
_READ = (1, VERSION)  # 1 has no losses of the epoch in progress
CHARSET = "0123456789"
BEST, LAST = "best.safetensors", "last.safetensors"
WEIGHTS = "weights.safetensors"  # the averaged weights alone, beside exported files
_FIELDS = {
    **dict.fromkeys(("model", "charset", "data", "fingerprint"), str),
    **dict.fromkeys(("version", "epoch", "step", "updates"), int),
    **dict.fromkeys(("seconds", "accuracy", "best"), float),
    "config": dict,
}  # of a header
_MAX_NUMBER = 1 << 53  # up to which JSON keeps whole numbers everywhere


@dataclass(frozen=True)
class Header:
    """All of a checkpoint that is not a tensor.

    `epoch` and `step` say where training goes on, `updates` and `seconds` how much of it there
    was; `accuracy` is the share of exact numbers on val by the averaged weights when last
    measured, `best` the highest so far.
    """

    version: int
    model: str
    charset: str
    config: dict[str, Any]
    epoch: int
    step: int
    updates: int
    seconds: float
    accuracy: float
    best: float
    data: str
    fingerprint: str

    def require_model(self, model: str, path: Path) -> None:
        """Raise UserError unless the checkpoint is of the network `model`."""
        if self.model != model:
            raise UserError(
                f"{path} holds the model {self.model}, not {model}; use --model {self.model}"
            )


def save(path: Path, header: Header, tensors: dict[str, Tensor]) -> None:
    """Write the checkpoint, and its header once more as JSON beside it for people."""
    _write(path, header, tensors)
    with replacing(path.with_suffix(".json")) as file:
        file.write(_text(header).encode() + b"\n")


def save_weights(run: Path, path: Path) -> None:
    """Write the averaged weights of a run's best checkpoint alone, for other runs to start from."""
    source = find_checkpoint(run)
    header, tensors = read_header(source), read_tensors(source, torch.device("cpu"))
    _write(path, header, {k: v for k, v in tensors.items() if k.startswith("ema.")})


def weights_sha256(run: Path) -> str:
    """SHA-256, in hex, over the averaged weights of a checkpoint, by whatever else it holds."""
    weights = named("ema", read_tensors(find_checkpoint(run), torch.device("cpu")))
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _write(path: Path, header: Header, tensors: dict[str, Tensor]) -> None:
    # clone: safetensors refuses tensors that share memory, as an LSTM's do on CUDA.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replacing(path) as file:
        file.write(to_bytes(plain, metadata={"header": _text(header)}))


def _text(header: Header) -> str:
    return json.dumps(asdict(header), indent=1)


def read_header(path: Path) -> Header:
    """Return the header of a checkpoint; UserError for a file that this version does not read."""
    with open_tensors(path) as tensors:
        text = (tensors.metadata() or {}).get("header", "")
    try:
        content = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged or no checkpoint of this trainer") from error
    version = expect(content, dict, f"{path}: header").get("version")
    if version not in _READ:
        raise UserError(
            f"{path} is a checkpoint of version {version}, this trainer reads "
            f"versions {_READ[0]} to {VERSION}; train again or use the trainer that wrote it"
        )
    expect_fields(content, tuple(_FIELDS), f"{path}: header")
    for name, kind in _FIELDS.items():
        number = kind is float and type(content[name]) is int  # which JSON does not tell apart
        value = expect(content[name], int if number else kind, f"{path}: header: {name}")
        if kind in (int, float) and not 0 <= value < _MAX_NUMBER:
            raise UserError(f"{path}: header: {name} is {value}, not in 0..{_MAX_NUMBER:,}")
    if content["charset"] != CHARSET or content["model"] not in MODELS:
        raise UserError(
            f"{path} holds a model {content['model']!r} for {content['charset']!r}; "
            f"this trainer knows {', '.join(MODELS)} for {CHARSET!r}"
        )
    return Header(**content)


def read_tensors(path: Path, device: torch.device) -> dict[str, Tensor]:
    """All tensors of a checkpoint, by name.

    Raises UserError where it cannot be read, or holds any that its network does not have.
    """
    model = read_header(path).model
    with open_tensors(path, str(device)) as tensors:
        require_known(tensors, model, path)
        return {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of a header")


def named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under `prefix.`, by the rest of their names."""
    return {
        name.removeprefix(prefix + "."): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix + ".")
    }


def load_weights(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy weights into `module`; UserError when they are those of another network."""
    for name in module.state_dict():
        if name not in tensors:
            raise UserError(f"{path} lacks the weights {name!r}; give a whole checkpoint")
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{path} holds the weights of another network") from error


def find_checkpoint(run: Path) -> Path:
    """Return a checkpoint file as it is, a run folder's best one, or an export's weights."""
    if not run.is_dir():
        return run
    return next((run / n for n in (BEST, WEIGHTS) if (run / n).is_file()), run / BEST)


def find_weights(start: Path) -> Path:
    """Do what `find_checkpoint` does, and take the name of a reader that ships, too: nano.

    Raises UserError when `start` neither has weights nor is the name of one that ships with them.
    """
    if find_checkpoint(start).is_file():
        return find_checkpoint(start)
    for name in (f"{start}", f"{start}-fp32", f"{start}-int8"):
        if (FOLDER / name / WEIGHTS).is_file():
            return FOLDER / name / WEIGHTS
    shipped = ", ".join(sorted(path.parent.name for path in FOLDER.glob(f"*/{WEIGHTS}")))
    raise UserError(
        f"{start} is no run folder, no checkpoint and no reader that ships with its weights; "
        f"these do: {shipped or 'none'}"
    )


def load_reader(run: Path, device: torch.device) -> tuple[Reader, Header]:
    """Return the averaged weights of a run's best checkpoint, ready to read with."""
    path = find_checkpoint(run)
    header = read_header(path)
    model = build_seeded(header.model, 0).to(device)
    load_weights(model, named("ema", read_tensors(path, device)), path)
    return model.eval(), header
