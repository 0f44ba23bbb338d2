from pathlib import Path

import numpy as np
import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from trainer.checkpoint import BEST, LAST, read_tensors
from trainer.config import Config
from trainer.log import read_log
from trainer.start import start
from trainer.state import State
from trainer.train import train, update

CPU = torch.device("cpu")
CONFIG = Config("nano", epochs=2, batch=32, val_images=32, precision="float32")


class Interrupted(DataSet):
    """Breaks off at the given read."""

    left = 7

    def gather(self, split: str, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().gather(split, indices)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, printed: DataSet) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(printed, folder, State(CONFIG, CPU))
    return folder


def test_a_resumed_run_ends_with_the_very_weights(
    undisturbed: Path, printed: DataSet, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(printed.folder), tmp_path, State(CONFIG, CPU), save_seconds=0)
    half = State.load(tmp_path / LAST, CPU)
    assert (half.epoch, half.step) == (0, 6)
    assert start(printed.folder, CONFIG, tmp_path, "cpu", resume=True) == tmp_path
    wanted, found = (read_tensors(folder / LAST, CPU) for folder in (undisturbed, tmp_path))
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)


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


def test_a_step_without_a_finite_loss_changes_no_weight_and_the_tenth_ends_the_run(
    printed: DataSet,
) -> None:
    from trainer.data import from_shards

    state = State(CONFIG, CPU)
    batch = from_shards(printed, "train", CPU)(np.arange(8))
    with torch.no_grad():
        state.model.sequence.bias.fill_(torch.nan)
    before = [parameter.clone() for parameter in state.model.parameters()]
    for _ in range(9):
        update(state, batch, 1e-3, torch.float32)
    for old, new in zip(before, state.model.parameters(), strict=True):
        assert torch.equal(old.nan_to_num(), new.nan_to_num())
    assert not any(value.isnan().any() for value in state.average.state_dict().values())
    with pytest.raises(UserError, match="loss has been nan for 10 steps in a row"):
        update(state, batch, 1e-3, torch.float32)


class Slow(DataSet):
    """Takes two minutes, by the clock of `state`, to read."""

    state: State

    def gather(self, split: str, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.state._began -= 120
        return super().gather(split, indices)


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
