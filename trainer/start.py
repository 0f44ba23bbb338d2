"""How a run begins: a new folder, or the checkpoint of one that was interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch

from shards.errors import UserError
from shards.files import remove_leftovers
from shards.lock import locked
from shards.reader import DataSet
from shards.sound import open_sound
from trainer.checkpoint import LAST, find_weights, load_reader, read_header
from trainer.config import Config
from trainer.device import choose_device, choose_precision, prepare
from trainer.focus import Focus
from trainer.memory import told_when_short
from trainer.models import count_parameters
from trainer.ranks import LostRankError, Ranks, joined, local_rank, told_when_lost
from trainer.room import check_labels
from trainer.state import State
from trainer.train import train
from trainer.trim import best_parts


def start(
    place: str | Path,
    config: Config,
    folder: Path | None,
    device_name: str = "auto",
    threads: int = 0,
    resume: bool = False,
    init: Path | None = None,
    compiled: bool = False,
    allow_partial: bool = False,
    save_seconds: float = 300,
    judge: Path | None = None,
) -> Path:
    """Train on the set at `place` in `folder` (default: runs/<model>-<data set>); returns that.

    compiled: by torch.compile. judge: the reader whose weights `config.judge` names.

    Where torchrun has started several such processes they train together, each on its own device.

    Raises UserError when the folder holds a run and `resume` is not set, or another process trains
    in it; when there is nothing to resume, or the checkpoint is of another model or other data;
    when shards of train or val are damaged, or missing though not `allow_partial`; when labels are
    none, or not those of their images (see `room`); and when the memory does not suffice. A note
    on KeyboardInterrupt says how to go on.
    """
    device = choose_device(device_name, local_rank())
    if threads:
        torch.set_num_threads(threads)
    with joined(device) as ranks:
        with ranks.together():
            data = _open(place, allow_partial)
            if not local_rank():
                check_labels(data, ("train", "val"), config.model)
        folder = folder or Path("runs") / f"{config.model}-{data.manifest.name}"
        smaller = f", or begin a run with a smaller --batch than {config.batch}"
        with _alone(folder, ranks), told_when_short(smaller):
            with ranks.together():
                state = _begin(folder / LAST, data, config, device, resume, init)
                ranks.check(state.config.batch, compiled, judge is not None)
            _say(state, folder, ranks)
            prepare(device)
            if compiled:
                state.model.compile()
            with _going_on(folder / LAST), told_when_lost(ranks):
                whole = compiled or local_rank() is not None  # any number of ranks, the same norms
                parts = 1 if whole else best_parts(state.model)
                train(data, folder, state, save_seconds, ranks, parts, _focus(state, judge))
    return folder


def _focus(state: State, judge: Path | None) -> Focus | None:
    if not judge:
        return None
    reader, _ = load_reader(find_weights(judge), state.device)
    precision = choose_precision(state.config.precision, state.device)
    return Focus(reader, state.config.candidates, precision)


def _say(state: State, folder: Path, ranks: Ranks) -> None:
    precision = choose_precision(state.config.precision, state.device)
    together = f", by {ranks.count} ranks" if ranks.count > 1 else ""
    print(
        f"{state.config.model}, {count_parameters(state.model):,} parameters, on {state.device} in "
        f"{str(precision).removeprefix('torch.')}, into {folder}{together}"
    )


@contextmanager
def _going_on(last: Path) -> Iterator[None]:
    """Add to what stops a training how to go on."""
    try:
        yield
    except (KeyboardInterrupt, LostRankError) as stop:
        on = f"with --resume goes on from {last}" if last.exists() else "begins anew"
        stop.add_note(f"the same command {on}")
        raise


@contextmanager
def _alone(folder: Path, ranks: Ranks) -> Iterator[None]:
    """Keep other trainings out of `folder`, which is not left behind empty."""
    if not ranks.first:
        yield
        return
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder, "training in"):
            remove_leftovers(folder)
            yield
    finally:
        if new and not any(folder.iterdir()):
            folder.rmdir()


def _begin(
    last: Path, data: DataSet, config: Config, device: torch.device, resume: bool, init: Path | None
) -> State:
    if resume:
        return _resumed(last, config, data, device)
    if last.exists():
        raise UserError(f"{last.parent} already holds a run; use --resume or another --run")
    torch.manual_seed(config.seed)  # of what a checkpoint keeps: the same command, the same bits
    state = State(config, device)
    if init:
        state.start_from(find_weights(init))
    return state


def _open(place: str | Path, allow_partial: bool) -> DataSet:
    data, missing = open_sound(place, ("train", "val"), allow_partial)
    for split in ("train", "val"):
        data.require(split)
    if missing:
        names = ", ".join(entry.file for entry in missing)
        lost = sum(entry.count for entry in missing)
        print(
            f"WARNING: {place} lacks {len(missing)} of its shards ({names}) with {lost:,} images; "
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
            f"{last} was trained on {header.data}, other data than {data.where}; "
            "use --init to start a new run from its weights"
        )
    state = State.load(last, device)
    if state.config.judge != config.judge:
        raise UserError(
            f"{last} was trained with {_named(state.config.judge)}, not with "
            f"{_named(config.judge)}; give the same --judge or none, as the run began"
        )
    _tell_unused(config, state.config)
    return state


def _tell_unused(asked: Config, begun: Config) -> None:
    """Say which options differ from those that the run began with, and goes on with."""
    kept = asdict(begun)
    unused = [
        f"{name.replace('_', ' ')} {kept[name]}, not {value}"
        for name, value in asdict(asked).items()
        if value != kept[name] and name != "init"
    ]
    if unused:
        print(f"the run goes on as it began: {'; '.join(unused)}")


def _named(judge: str) -> str:
    return f"the judge of SHA-256 {judge[:12]}" if judge else "no judge"
