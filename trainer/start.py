"""How a run begins: a new folder, or the checkpoint of one that was interrupted."""

from pathlib import Path

import torch

from shards.errors import UserError
from shards.reader import DataSet
from shards.sound import open_sound
from trainer.checkpoint import LAST, find_weights, read_header
from trainer.config import Config
from trainer.device import choose_device, choose_precision, prepare
from trainer.models import count_parameters
from trainer.state import State
from trainer.train import train


def start(
    data_folder: Path,
    config: Config,
    folder: Path | None,
    device_name: str = "auto",
    threads: int = 0,
    resume: bool = False,
    init: Path | None = None,
    compiled: bool = False,
    allow_partial: bool = False,
) -> Path:
    """Train in `folder` (default: runs/<model>-<data set>), by torch.compile if asked; returns it.

    Raises UserError when the folder holds a run and `resume` is not set, when there is nothing to
    resume, when the checkpoint is of another model or other data, and when shards of train or val
    are damaged, or missing though not `allow_partial`.
    """
    device = choose_device(device_name)
    if threads:
        torch.set_num_threads(threads)
    data = _open(data_folder, allow_partial)
    folder = folder or Path("runs") / f"{config.model}-{data.manifest.name}"
    last = folder / LAST
    if resume:
        state = _resumed(last, config, data, device)
    elif last.exists():
        raise UserError(f"{folder} already holds a run; use --resume or another --run")
    else:
        state = State(config, device)
        if init:
            state.start_from(find_weights(init))
    folder.mkdir(parents=True, exist_ok=True)
    precision = choose_precision(state.config.precision, device)
    print(
        f"{config.model}, {count_parameters(state.model):,} parameters, on {device} in "
        f"{str(precision).removeprefix('torch.')}, into {folder}"
    )
    prepare(device)
    if compiled:
        state.model.compile()
    train(data, folder, state)
    return folder


def _open(folder: Path, allow_partial: bool) -> DataSet:
    data, missing = open_sound(folder, ("train", "val"), allow_partial)
    if missing:
        names = ", ".join(entry.file for entry in missing)
        lost = sum(entry.count for entry in missing)
        print(
            f"WARNING: {folder} lacks {len(missing)} of its shards ({names}) with {lost:,} images; "
            f"training on the other {data.count('train'):,}, called {data.manifest.version}"
        )
    return data


def _resumed(last: Path, config: Config, data: DataSet, device: torch.device) -> State:
    if not last.exists():
        raise UserError(f"{last} does not exist, there is nothing to resume; leave out --resume")
    header = read_header(last)
    header.require_model(config.model, last)
    if header.fingerprint != data.manifest.fingerprint:
        raise UserError(
            f"{last} was trained on {header.data}, other data than {data.folder}; "
            "use --init to start a new run from its weights"
        )
    return State.load(last, device)
