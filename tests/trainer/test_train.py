import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from trainer.checkpoint import BEST, LAST, read_tensors
from trainer.config import Config
from trainer.data import Order, from_shards, stream
from trainer.device import choose_precision
from trainer.log import SKIPPED, RunLog, read_log
from trainer.meter import Meter
from trainer.skips import Skips
from trainer.start import start
from trainer.state import State
from trainer.train import train, update

CPU = torch.device("cpu")
CONFIG = Config("nano", epochs=2, batch=32, val_images=32, precision="float32")
PARTS = 2  # what `start` takes for nano on a CPU
ROWS = np.arange(128).reshape(4, 32)
NAN = float("nan")

Gathered = tuple[np.ndarray, np.ndarray]


class Interrupted(DataSet):
    """Breaks off at the given read."""

    left = 7

    def gather(self, split: str, indices: np.ndarray, *out: np.ndarray) -> Gathered:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().gather(split, indices, *out)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, printed: DataSet) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(printed, folder, State(CONFIG, CPU), parts=PARTS)
    return folder


def test_a_resumed_run_ends_with_the_very_weights(
    undisturbed: Path, printed: DataSet, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(
            Interrupted(printed.folder), tmp_path, State(CONFIG, CPU), save_seconds=0, parts=PARTS
        )
    half = State.load(tmp_path / LAST, CPU)
    assert (half.epoch, half.step) == (0, 6)
    assert start(printed.folder, CONFIG, tmp_path, "cpu", resume=True) == tmp_path
    wanted, found = (read_tensors(folder / LAST, CPU) for folder in (undisturbed, tmp_path))
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)


def test_a_checkpoint_beyond_its_epoch_is_refused(printed: DataSet, tmp_path: Path) -> None:
    state = State(CONFIG, CPU)
    state.step = 99
    with pytest.raises(UserError, match=r"99 steps of its epoch are done, which has \d+; it is"):
        train(printed, tmp_path, state)


def test_a_run_leaves_its_checkpoints_log_and_curves(undisturbed: Path) -> None:
    names = {path.name for path in undisturbed.iterdir()}
    assert {BEST, LAST, "best.json", "last.json", "log.jsonl", "curves.png"} <= names
    assert not [name for name in names if name.endswith(".tmp")]
    checks = [record for record in read_log(undisturbed) if "accuracy" in record]
    assert [record["step"] for record in checks] == [8, 16]
    assert checks[1]["epoch_loss"] < checks[0]["epoch_loss"]


def test_a_folder_with_a_run_is_not_overwritten(undisturbed: Path, printed: DataSet) -> None:
    with pytest.raises(UserError, match="already holds a run; use --resume"):
        start(printed.folder, CONFIG, undisturbed, "cpu")


def test_resuming_what_is_not_there_or_is_of_another_model_is_refused(
    undisturbed: Path, printed: DataSet, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="there is nothing to resume"):
        start(printed.folder, CONFIG, tmp_path, "cpu", resume=True)
    with pytest.raises(UserError, match="holds the model nano, not optimized"):
        start(printed.folder, Config("optimized"), undisturbed, "cpu", resume=True)


def test_fine_tuning_starts_from_the_averaged_weights(undisturbed: Path) -> None:
    state = State(CONFIG, CPU)
    state.start_from(undisturbed / BEST)
    saved = read_tensors(undisturbed / BEST, CPU)
    for name, value in state.model.state_dict().items():
        assert torch.equal(value, saved[f"ema.{name}"])
    assert (state.epoch, state.updates) == (0, 0)


def steps(device: torch.device, data: DataSet, count: int = 3, **options: str) -> State:
    """A state after `count` steps on the same batches."""
    state = State(Config(**{"model": "nano"} | options), device)
    precision = choose_precision(state.config.precision, device)
    for batch in stream(from_shards(data, "train", device), ROWS[:count], device):
        update(state, batch, 1e-3, precision)
    return state


def moved(state: State) -> torch.Tensor:
    """All weights, less those at the beginning."""
    pairs = zip(state.model.parameters(), State(state.config, CPU).model.parameters(), strict=True)
    return torch.cat([(now.detach().cpu() - then).flatten() for now, then in pairs]).detach()


@pytest.mark.parametrize(
    ("model", "precision", "alike"),
    [("nano", "float32", 0.98), ("optimized", "float32", 0.95), ("nano", "bf16", 0.7)],
)
def test_a_step_does_the_same_on_every_device(
    device: torch.device, printed: DataSet, model: str, precision: str, alike: float, monkeypatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    wanted = moved(steps(CPU, printed, model=model, precision="float32"))
    found = moved(steps(device, printed, model=model, precision=precision))
    assert torch.cosine_similarity(found, wanted, dim=0) > alike
    assert found.norm().item() == pytest.approx(wanted.norm().item(), rel=0.05)


def everything(state: State) -> dict[str, torch.Tensor]:
    """All that a checkpoint holds but for the moving average and the batch norms' counters."""
    counters = ("ema.", "num_batches_tracked")
    tensors = {name: value.clone() for name, value in state._tensors().items()}
    return {name: value for name, value in tensors.items() if not any(c in name for c in counters)}


@pytest.mark.parametrize("spoiled", ["features.0", "sequence"])
def test_a_step_that_is_not_finite_changes_nothing(
    device: torch.device, printed: DataSet, spoiled: str
) -> None:
    state = steps(device, printed)
    batch = from_shards(printed, "train", device)(ROWS[3])
    before = everything(state)
    spoil = state.model.get_submodule(spoiled).register_forward_hook(lambda *call: call[2] * NAN)
    assert update(state, batch, 1e-3, torch.float32).isnan()
    after = everything(state)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(value.isfinite().all() for value in state.average.state_dict().values())
    spoil.remove()
    assert update(state, batch, 1e-3, torch.float32).isfinite()
    assert not torch.equal(before["model.sequence.weight"], state.model.sequence.weight)


def test_a_gradient_that_is_not_finite_changes_nothing(
    device: torch.device, printed: DataSet
) -> None:
    state = steps(device, printed)
    before = everything(state)
    state.model.sequence.weight.register_hook(lambda gradient: gradient * NAN)
    assert update(
        state, from_shards(printed, "train", device)(ROWS[3]), 1e-3, torch.float32
    ).isnan()
    after = everything(state)
    assert all(torch.equal(before[name], after[name]) for name in before)


def keys_of(data: DataSet, step: int) -> list[str]:
    """The keys of the samples of a step of the first epoch: train comes after test and val."""
    order = Order(data.count("train"), data.count("train"), CONFIG.batch, CONFIG.seed)
    return [f"{128 + row:09}" for row in order.indices(0)[step]]


def test_a_skipped_step_leaves_its_keys_and_the_run_goes_on(
    undisturbed: Path, printed: DataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(CONFIG, CPU)
    calls = iter(range(100))
    state.model.register_forward_hook(lambda *call: call[2] * NAN if next(calls) == 5 else call[2])
    train(printed, tmp_path, state)
    noted = [json.loads(line) for line in (tmp_path / SKIPPED).read_text().splitlines()]
    assert noted == [{"step": 6, "epoch": 0, "keys": keys_of(printed, 5)}]
    assert len(set(noted[0]["keys"])) == 32
    said = f"step 6 was skipped, its loss is not finite: its samples are in {tmp_path / SKIPPED}\n"
    assert said in capsys.readouterr().out
    assert (state.updates, state.skipped) == (16, 0)
    assert not (undisturbed / SKIPPED).exists()


def test_ten_skipped_steps_in_a_row_end_the_run_and_leave_its_checkpoint(
    device: torch.device, undisturbed: Path, printed: DataSet, tmp_path: Path
) -> None:
    shutil.copy(undisturbed / LAST, tmp_path)
    state = State(dataclasses.replace(CONFIG, batch=16), device)
    state.model.register_forward_hook(lambda *call: call[2] * NAN)
    with pytest.raises(UserError, match="not been finite for 10 steps in a row before step 10"):
        train(printed, tmp_path, state, save_seconds=0)
    assert (tmp_path / LAST).read_bytes() == (undisturbed / LAST).read_bytes()
    noted = [json.loads(line) for line in (tmp_path / SKIPPED).read_text().splitlines()]
    assert [record["step"] for record in noted] == list(range(1, 11))


def test_a_finite_step_begins_the_count_anew(printed: DataSet, tmp_path: Path) -> None:
    state, meter = State(CONFIG, CPU), Meter(32, [])
    state.step = state.updates = 8
    with RunLog(tmp_path) as log:
        skips = Skips(printed, np.zeros((8, 32), np.int64), log)
        for losses in ([NAN] * 7, [NAN, 1.0, *[NAN] * 6], [NAN] * 3):
            for loss in losses:
                meter.add(torch.tensor(loss))
            skips.read(state, meter)
        meter.add(torch.tensor(NAN))
        with pytest.raises(UserError, match="10 steps in a row"):
            skips.read(state, meter)


def test_weights_that_read_nothing_finite_replace_no_checkpoint(
    undisturbed: Path, printed: DataSet, tmp_path: Path
) -> None:
    """Fewer steps than ten are left in the epoch when the weights are spoiled."""
    shutil.copy(undisturbed / LAST, tmp_path)
    state = State(CONFIG, CPU)
    state.average.register_forward_hook(lambda *call: call[2] * NAN)
    with pytest.raises(UserError, match="loss on val is nan after step 8, .*--init .*lower --rate"):
        train(printed, tmp_path, state)
    assert (tmp_path / LAST).read_bytes() == (undisturbed / LAST).read_bytes()
    assert not (tmp_path / BEST).exists()


class Slow(DataSet):
    """Takes two minutes, by the clock of `state`, to read."""

    state: State

    def gather(self, split: str, indices: np.ndarray, *out: np.ndarray) -> Gathered:
        self.state._began -= 120
        return super().gather(split, indices, *out)


def test_time_ends_a_run_and_what_it_learned_is_kept(printed: DataSet, tmp_path: Path) -> None:
    data = Slow(printed.folder)
    data.state = State(Config("nano", batch=32, val_images=32, max_minutes=1), CPU)
    train(data, tmp_path, data.state)
    kept = State.load(tmp_path / BEST, CPU)
    assert (kept.epoch, kept.step, kept.updates) == (0, 1, 1)


def test_the_rate_follows_steps_or_time_whichever_is_further() -> None:
    state = State(Config("nano", max_minutes=1), CPU)
    state._began -= 45
    assert state.share_done(1000) == pytest.approx(0.75, abs=0.05)
    state.updates = 900
    assert state.share_done(1000) == 0.9


def test_the_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    config = Config("nano", warmup=0.1)
    rates = [config.rate_at(done / 100) for done in range(101)]
    assert max(rates) == rates[10] == pytest.approx(3e-3)
    assert rates[0] == pytest.approx(3e-5)
    assert rates[100] == pytest.approx(0)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert Config("base").rate_at(0.05) == pytest.approx(1e-3)
