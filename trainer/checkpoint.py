"""Checkpoints: tensors in safetensors, all else as JSON in its header; nothing is pickled."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from shards.errors import UserError
from shards.files import replacing
from trainer.models import MODELS, Reader, build_seeded

VERSION = 1
CHARSET = "0123456789"
BEST, LAST = "best.safetensors", "last.safetensors"


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
    text = json.dumps(asdict(header), indent=1)
    # clone: safetensors refuses tensors that share memory, as an LSTM's do on CUDA.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replacing(path) as file:
        file.write(to_bytes(plain, metadata={"header": text}))
    with replacing(path.with_suffix(".json")) as file:
        file.write(text.encode() + b"\n")


def read_header(path: Path) -> Header:
    """Return the header of a checkpoint; UserError for a file that this version does not read."""
    if not path.is_file():
        raise UserError(f"{path} is no checkpoint file; give a run folder or a .safetensors file")
    try:
        with safe_open(path, "pt") as file:
            content = json.loads((file.metadata() or {})["header"])
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is damaged or no checkpoint of this trainer") from error
    if content.get("version") != VERSION:
        raise UserError(
            f"{path} is a checkpoint of version {content.get('version')}, this trainer reads "
            f"version {VERSION}; train again or use the trainer that wrote it"
        )
    names = {field.name for field in fields(Header)}
    if set(content) != names:
        raise UserError(f"{path} lacks or has too many header fields; train again")
    if content["charset"] != CHARSET or content["model"] not in MODELS:
        raise UserError(
            f"{path} holds a model {content['model']!r} for {content['charset']!r}; "
            f"this trainer knows {', '.join(MODELS)} for {CHARSET!r}"
        )
    return Header(**content)


def read_tensors(path: Path, device: torch.device) -> dict[str, Tensor]:
    """All tensors of a checkpoint, by name."""
    with safe_open(path, "pt", device=str(device)) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under `prefix.`, by the rest of their names."""
    return {
        name.removeprefix(prefix + "."): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix + ".")
    }


def load_weights(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy weights into `module`; UserError when they are those of another network."""
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{path} holds the weights of another network") from error


def find_checkpoint(run: Path) -> Path:
    """Return a checkpoint file as it is, or a run folder's best one."""
    return run / BEST if run.is_dir() else run


def load_reader(run: Path, device: torch.device) -> tuple[Reader, Header]:
    """Return the averaged weights of a run's best checkpoint, ready to read with."""
    path = find_checkpoint(run)
    header = read_header(path)
    model = build_seeded(header.model, 0).to(device)
    load_weights(model, named("ema", read_tensors(path, device)), path)
    return model.eval(), header
