"""How a run begins: a new folder, or the checkpoint of one that was interrupted."""

from pathlib import Path

import torch

from shards.errors import UserError
from shards.reader import DataSet
from trainer.checkpoint import LAST, find_checkpoint, read_header
from trainer.config import Config
from trainer.device import choose_device, choose_precision
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
) -> Path:
    """Train in `folder` (default: runs/<model>-<data set>); returns it.

    Raises UserError when the folder holds a run and `resume` is not set, when there is nothing to
    resume, and when the checkpoint is of another model or other data.
    """
    device = choose_device(device_name)
    if threads:
        torch.set_num_threads(threads)
    data = DataSet(data_folder)
    folder = folder or Path("runs") / f"{config.model}-{data.manifest.name}"
    last = folder / LAST
    if resume:
        state = _resumed(last, config, data, device)
    elif last.exists():
        raise UserError(f"{folder} already holds a run; use --resume or another --run")
    else:
        state = State(config, device)
        if init:
            state.start_from(find_checkpoint(init))
    folder.mkdir(parents=True, exist_ok=True)
    precision = choose_precision(state.config.precision, device)
    print(
        f"{config.model}, {count_parameters(state.model):,} parameters, on {device} in "
        f"{str(precision).removeprefix('torch.')}, into {folder}"
    )
    train(data, folder, state)
    return folder


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
