from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.average import average, choose, copy_weights, mix_weights
from trainer.checkpoint import BEST, load_reader, read_header, weights_sha256
from trainer.cli import app
from trainer.config import Config
from trainer.models import build_seeded
from trainer.state import State

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return DataSet(
        write_data_set(tmp_path_factory.mktemp("set") / "x", {"test": 4, "val": 40, "train": 64})
    )


def saved(folder: Path, data: DataSet, model: str, seed: int) -> Path:
    folder.mkdir()
    State(Config(model, seed=seed), CPU).save(folder / BEST, data.manifest)
    return folder


def test_the_share_nearest_to_a_half_that_is_no_worse_than_by_chance() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (5, 4000))
    means = {0.0: 1.0, 0.3: 0.5, 0.5: 0.51, 0.6: 0.501, 1.0: 0.5}
    losses = {share: mean + row for (share, mean), row in zip(means.items(), noise, strict=True)}
    assert choose(losses) == 0.6
    assert choose({share: losses[share] for share in (0.0, 0.5, 1.0)}) == 1.0


def test_losses_that_are_no_numbers_choose_nothing() -> None:
    losses = {share: np.full(4, loss) for share, loss in ((0.0, 1.0), (1.0, np.nan))}
    with pytest.raises(UserError, match=r"the losses on val are \{0.0: 1.0, 1.0: nan\}"):
        choose(losses)


def test_weights_go_a_share_of_the_way() -> None:
    model, other = build_seeded("nano", 1), build_seeded("nano", 2)
    before, after = copy_weights(model), copy_weights(other)
    mix_weights(model, before, after, 0.25)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.75 * before[name] + 0.25 * after[name])


def test_what_is_written_has_the_loss_that_was_told(data: DataSet, tmp_path: Path) -> None:
    run, other = (saved(tmp_path / str(seed), data, "nano", seed) for seed in (1, 2))
    share, losses = average(run, other, tmp_path / "out", data, 40)
    assert len(losses) == 11
    assert all(each.shape == (40,) for each in losses.values())
    model, header = load_reader(tmp_path / "out", CPU)
    expected = build_seeded("nano", 0)
    mix_weights(
        expected, *(copy_weights(load_reader(each, CPU)[0]) for each in (other, run)), share
    )
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, expected.state_dict()[name], atol=0, rtol=0)
    averaged = f"{share:g} of it, the rest {weights_sha256(other)}"
    assert header.config == read_header(run / BEST).config | {"averaged": averaged}
    with pytest.raises(UserError, match="best.safetensors exists already; choose another folder"):
        average(run, other, tmp_path / "out", data, 40)


def test_checkpoints_of_two_networks_are_refused(data: DataSet, tmp_path: Path) -> None:
    run, other = saved(tmp_path / "a", data, "nano", 1), saved(tmp_path / "b", data, "base", 1)
    with pytest.raises(UserError, match="holds the model base, not nano"):
        average(run, other, tmp_path / "out", data, 40)
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_kept(data: DataSet, tmp_path: Path) -> None:
    run, other = (saved(tmp_path / str(seed), data, "nano", seed) for seed in (1, 2))
    out = tmp_path / "out"
    told = CliRunner().invoke(
        app, ["average", str(run), str(other), str(out), "--data", str(data.folder)]
    )
    assert told.exit_code == 0, told.output
    lines = told.output.replace("\n", " ")
    assert lines.count("val loss") == 11
    assert lines.count("kept") == 1
    assert (out / BEST).exists()
