"""Batches of hard numbers: chances, draws, weights, and the runs that are trained on them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from typer.testing import CliRunner

from shards.errors import UserError
from shards.reader import DataSet
from trainer.checkpoint import LAST, find_weights, load_reader, read_tensors, weights_sha256
from trainer.cli import app
from trainer.config import Config
from trainer.ctc import ctc_loss, likelihood
from trainer.data import Batch, from_shards, to_input
from trainer.focus import Focus, inclusion, systematic
from trainer.models import build_seeded
from trainer.start import start
from trainer.state import State
from trainer.train import train, update
from trainer.trim import trimmed

CPU = torch.device("cpu")
SCORES = st.lists(st.floats(0.03, 1.03), min_size=4, max_size=60)


def by_search(scores: torch.Tensor, count: int) -> torch.Tensor:
    """Chances by bisection for the factor that makes them add up to `count`."""
    low, high = 0.0, count / scores.min().item()
    for _ in range(200):
        factor = (low + high) / 2
        low, high = (
            (factor, high) if (scores * factor).clamp(max=1).sum() < count else (low, factor)
        )
    return (scores * high).clamp(max=1)


@given(SCORES, st.integers(2, 4))
def test_chances_are_in_proportion_to_scores_up_to_certainty(
    scores: list[float], candidates: int
) -> None:
    count = len(scores) // candidates
    chances = inclusion(torch.tensor(scores, dtype=torch.float64), count)
    assert torch.allclose(chances, by_search(torch.tensor(scores, dtype=torch.float64), count))
    assert chances.sum().item() == pytest.approx(count)


def test_chances_ask_nothing_of_the_device() -> None:
    """What asks for a value, and on CUDA waits for it, fails where there are no values."""
    assert inclusion(torch.ones(8, dtype=torch.float64, device="meta"), 4).shape == (8,)


@settings(deadline=None)  # 500 draws, on a busy machine
@given(SCORES, st.integers(2, 4))
def test_each_sample_is_drawn_as_often_as_its_chance_says(
    scores: list[float], candidates: int
) -> None:
    count, tries = len(scores) // candidates, 500
    chances = inclusion(torch.tensor(scores, dtype=torch.float64), count)
    drawn = torch.zeros(len(scores))
    for number in range(tries):
        rows = systematic(chances, count, torch.tensor((number + 0.5) / tries))
        assert len(set(rows.tolist())) == count
        drawn[rows] += 1
    assert (drawn / tries - chances).abs().max() <= 1.01 / tries


@pytest.fixture(scope="module")
def judge() -> Path:
    """A reader that ships: it reads all of the printed numbers."""
    return find_weights(Path("nano"))


@pytest.fixture
def batch(printed: DataSet, device: torch.device) -> Batch:
    """Numbers of which every eighth is hard: its label is another's."""
    batch = from_shards(printed, "train", device)(np.arange(256))
    batch.digits[::8] = batch.digits[::8].roll(1, dims=0)
    return batch


def focus_of(judge: Path, device: torch.device, candidates: int = 4) -> Focus:
    return Focus(load_reader(judge, device)[0], candidates, torch.float32)


def test_scores_are_what_the_judge_gives_to_whole_images(
    judge: Path, batch: Batch, device: torch.device
) -> None:
    """It reads them by width, without their empty columns: logits there differ in some steps."""
    reader, _ = load_reader(judge, device)
    with torch.no_grad():
        wanted = 1.03 - likelihood(reader(to_input(batch.images)), batch.digits)
    found = focus_of(judge, device).scores(batch)
    assert torch.allclose(found, wanted, atol=0.02)
    assert (wanted > 1).sum() in range(20, 33)
    assert (wanted < 0.1).sum() > 200


def test_a_batch_is_a_part_of_what_was_looked_at_with_the_weights_that_make_up_for_it(
    judge: Path, batch: Batch, device: torch.device
) -> None:
    focus = focus_of(judge, device)
    torch.manual_seed(1)
    drawn = [focus(batch) for _ in range(300)]
    wanted = pairs(batch)
    for some in drawn:
        assert some.images.shape == (64, 1, 32, 128)
        assert pairs(some) <= wanted
    ones = (
        torch.stack([(some.digits[:, 1] < 0).double() @ some.weights for some in drawn]).mean() / 64
    )
    share = (batch.digits[:, 1] < 0).double().mean()
    assert ones.item() == pytest.approx(share.item(), rel=0.1)


def pairs(batch: Batch) -> set[tuple[bytes, bytes]]:
    images, digits = batch.images.cpu().numpy(), batch.digits.cpu().numpy()
    return {(i.tobytes(), d.tobytes()) for i, d in zip(images, digits, strict=True)}


class Certain(nn.Module):
    """Reads every image as a 1, without doubt."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(images), 8, 11)
        logits[:, :, 0] = 100
        logits[:, 4, 2] = 300
        return logits


def test_what_the_judge_reads_right_is_rare_and_weighs_the_more() -> None:
    digits = torch.full((200, 5), -1, dtype=torch.int8)
    digits[:, 0] = torch.where(torch.arange(200) < 20, 7, 1)
    batch = Batch(torch.zeros(200, 1, 32, 128, dtype=torch.uint8), digits)
    some = Focus(Certain(), 4, torch.float32)(batch)
    hard = some.digits[:, 0] == 7
    assert hard.sum() == 20
    assert torch.allclose(some.weights[hard], torch.tensor(0.25, dtype=torch.float64))
    assert torch.allclose(some.weights[~hard], torch.tensor(180 / 30 / 4, dtype=torch.float64))


def test_a_judge_whose_answer_is_no_number_finds_an_image_hard() -> None:
    reader = build_seeded("nano", 0)
    reader.register_forward_hook(lambda *call: call[2] * float("nan"))
    images = torch.zeros(8, 1, 32, 128, dtype=torch.uint8)
    batch = Batch(images, torch.zeros(8, 5, dtype=torch.int8))
    assert torch.allclose(
        Focus(reader, 2, torch.float32).scores(batch), torch.tensor(1.03, dtype=torch.float64)
    )


def test_weights_multiply_losses_and_gradients(device: torch.device) -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 12, 11, device=device)
    digits = torch.tensor([[3, 3, -1, -1, -1], [7, 1, 2, -1, -1], [9] * 5], dtype=torch.int8)
    weights = torch.tensor([0.25, 3, 1], dtype=torch.float64)
    alone = [ctc_loss(logits[i : i + 1], digits[i : i + 1].to(device)).item() for i in range(3)]
    wanted, found = (logits.clone().requires_grad_() for _ in range(2))
    loss = ctc_loss(found, digits.to(device), weights.to(device))
    assert loss.item() == pytest.approx((weights @ torch.tensor(alone).double()).item() / 3)
    loss.backward()
    for i, weight in enumerate(weights):
        (ctc_loss(wanted[i : i + 1], digits[i : i + 1].to(device)) * weight / 3).backward()
    assert torch.allclose(found.grad, wanted.grad, rtol=1e-5, atol=1e-9)


def test_a_step_in_parts_keeps_each_samples_weight(printed: DataSet) -> None:
    batch = from_shards(printed, "train", CPU)(np.arange(30))
    weighed = replace(batch, weights=torch.arange(30, dtype=torch.float64) / 15)
    assert len(trimmed(weighed, 4)) == 4
    losses = []
    for parts in (1, 4):
        state = State(Config("nano", batch=30), CPU)
        state.model.eval()
        losses.append(update(state, weighed, 0.0, torch.float32, parts=parts).item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.fixture(scope="module")
def config(judge: Path) -> Config:
    return Config(
        *("nano", 2, 0, 16),
        val_images=32,
        precision="float32",
        candidates=4,
        judge=weights_sha256(judge),
    )


def test_a_resumed_run_draws_the_very_batches(
    judge: Path, config: Config, printed: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(printed.folder, config, tmp_path / "whole", "cpu", judge=judge, save_seconds=0)
    monkeypatch.setattr("trainer.train.validate", stop)
    with pytest.raises(KeyboardInterrupt):
        start(printed.folder, config, tmp_path / "cut", "cpu", judge=judge, save_seconds=0)
    monkeypatch.undo()
    assert State.load(tmp_path / "cut" / LAST, CPU).step == 3
    start(printed.folder, config, tmp_path / "cut", "cpu", resume=True, judge=judge)
    wanted, found = (read_tensors(tmp_path / name / LAST, CPU) for name in ("whole", "cut"))
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    assert len(found["losses"]) == 0
    assert State.load(tmp_path / "cut" / LAST, CPU).updates == 8  # 256 images, 64 a step, twice


def test_the_command_takes_a_reader_that_ships_as_the_judge(
    judge: Path, printed: DataSet, tmp_path: Path
) -> None:
    options = ["--model", "lightweight", "--judge", "nano", "--candidates", 8, "--batch", 16]
    words = ["train", printed.folder, *options, "--epochs", 1, "--run", tmp_path / "run"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "step 2/2" in result.output  # 256 images, 128 looked at in a step
    state = State.load(tmp_path / "run" / LAST, CPU)
    assert (state.config.candidates, state.config.judge) == (8, weights_sha256(judge))


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_goes_on_with_its_own_judge_only(
    judge: Path, config: Config, printed: DataSet, tmp_path: Path
) -> None:
    train(printed, tmp_path, State(config, CPU), focus=focus_of(judge, CPU))
    other = replace(config, judge="0123456789abcdef")
    with pytest.raises(
        UserError,
        match=rf"trained with the judge of SHA-256 {config.judge[:12]}, not with the judge of "
        "SHA-256 0123456789ab; give the same --judge",
    ):
        start(printed.folder, other, tmp_path, "cpu", resume=True, judge=judge)
    with pytest.raises(UserError, match="not with no judge; give"):
        start(printed.folder, replace(config, judge=""), tmp_path, "cpu", resume=True)
