"""Training on several ranks: real processes that torchrun starts, on the CPU and by gloo."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from shards.errors import UserError
from shards.reader import DataSet
from tests.faults.builds import assert_nobody_is_left, wait_until
from tests.faults.runs import TRAINER, curve, started, updates
from tests.trainer import ranked
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import BEST, LAST, find_weights, read_tensors
from trainer.device import choose_device
from trainer.models import build_model
from trainer.ranks import Ranks
from trainer.state import State
from trainer.train import train, update

CPU = torch.device("cpu")
SPLITS = {"test": 2, "val": 300, "train": 256}
OPTIONS = ("--batch", 31, "--epochs", 2, "--threads", 1, "--precision", "float32", "--rate", 0.0003)
RAN, FAILED = 0, 1
# So many times as far as one rounding of the weights leads may all those of other sums lead; a
# batch seen twice leads further than the limit (the third of 16: 0.19 of the way). The rate is a
# tenth of the usual one, at which 16 steps may magnify a rounding to 0.1.
ROUNDINGS, LOST = 5, 0.05


def torchrun(ranks: int, *arguments: object) -> subprocess.Popen[str]:
    """Start `arguments` on so many ranks."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return started(*launcher, f"--nproc-per-node={ranks}", *map(str, arguments))


def ended(process: subprocess.Popen[str]) -> tuple[int, str, list[str]]:
    """Wait for an end: its exit status, what was said, and the errors that are not torchrun's."""
    out, errors = process.communicate(timeout=300)
    ours = [line for line in errors.splitlines() if line.startswith(("error: ", "stopped"))]
    return process.returncode, out, ours


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes of its ranks, each of which leads a session."""
    return [
        int(child)
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]


def rank_of(process: subprocess.Popen[str], rank: int) -> int:
    """The process that is this rank."""
    wanted = f"RANK={rank}".encode()
    return next(
        child
        for child in children(process)
        if wanted in Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
    )


def weights(tensors: dict[str, Tensor], part: str) -> Tensor:
    """All that training adjusts, in one row; `part` is "model" or, of the averages, "ema"."""
    names = [name for name, _ in build_model("nano").named_parameters()]
    return torch.cat([tensors[f"{part}.{name}"].double().flatten() for name in names])


def rounded_off(weights: Path, to: Path) -> Path:
    """Copy weights, each moved by at most one place of its last bit."""
    with safe_open(weights, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = file.metadata()
    random = torch.Generator().manual_seed(0)
    for tensor in tensors.values():
        if tensor.is_floating_point():
            tensor *= 1 + 2**-23 * torch.randint(-1, 2, tensor.shape, generator=random)
    save_file(tensors, to, header)
    return to


def apart(found: Tensor, wanted: Tensor, start: Tensor) -> float:
    """The distance of two ends, as a share of the way from the start to the one that is wanted."""
    return float((found - wanted).norm() / (wanted - start).norm())


@given(st.integers(1, 40), st.integers(1, 9))
def test_each_sample_of_a_batch_is_of_one_rank(batch: int, count: int) -> None:
    rows = np.arange(3 * batch).reshape(3, batch)
    parts = [Ranks(rank, count).part(rows) for rank in range(count)]
    assert np.array_equal(np.concatenate(parts, axis=1), rows)
    shares = [part.shape[1] for part in parts]
    assert max(shares) - min(shares) <= 1


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return DataSet(write_data_set(tmp_path_factory.mktemp("data") / "printed", SPLITS))


@pytest.fixture(scope="module")
def in_double(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What 2 and 3 ranks leave that train in float64."""
    folder = tmp_path_factory.mktemp("double")
    for count in (2, 3):
        process = torchrun(
            count, "-m", "tests.trainer.ranked", "train_in_double", data.folder, folder
        )
        _, errors = process.communicate(timeout=300)
        assert process.returncode == RAN, errors
    return folder


def test_any_number_of_ranks_trains_the_weights_of_one_process(
    data: DataSet, in_double: Path
) -> None:
    """31 samples are 16 and 15, or 11, 10 and 10: the mean over ranks is not that over samples."""
    state = ranked.in_double()
    start = weights(ranked.parameters(state), "model")
    for batch in ranked.batches(data):
        loss = update(state, batch, ranked.RATE, torch.float32)
    wanted = ranked.parameters(state)
    for count in (2, 3):
        found = [load_file(in_double / f"{count}-{rank}") for rank in range(count)]
        for part in ("model", "ema"):
            distance = apart(weights(found[0], part), weights(wanted, part), start)
            print(f"{count} ranks, {part}: {distance:.1e} of the way apart")
            assert distance < 1e-8
        assert found[0]["loss"].item() == pytest.approx(loss.item(), rel=1e-5)
        for other in found[1:]:
            assert all(torch.equal(other[name], found[0][name]) for name in found[0])


def test_a_step_that_one_rank_spoils_is_skipped_by_all(in_double: Path) -> None:
    for count in (2, 3):
        for rank in range(count):
            before = load_file(in_double / f"{count}-{rank}")["model.sequence.weight"]
            after = load_file(in_double / f"{count}-{rank}-spoiled")
            assert after["loss"].isnan()
            assert torch.equal(after["weight"], before)


def test_norms_see_the_whole_batch(in_double: Path) -> None:
    """7 samples on 2 and 3 ranks, against torch's own batch norm of all of them."""
    wanted = ranked.norm(nn.BatchNorm2d(3).double(), *ranked.norm_batch())
    for count in (2, 3):
        found = [load_file(in_double / f"{count}-{rank}-norm") for rank in range(count)]
        for name in ("result", "images"):
            torch.testing.assert_close(torch.cat([part[name] for part in found]), wanted[name])
        torch.testing.assert_close(sum(part["weight"] for part in found), wanted["weight"])
        for part in found:
            for name in ("mean", "variance"):
                torch.testing.assert_close(part[name], wanted[name])


def test_what_one_rank_measures_is_told_to_all(in_double: Path) -> None:
    for count in (2, 3):
        for rank in range(count):
            told = load_file(in_double / f"{count}-{rank}-norm")["told"]
            assert told.tolist() == [0, sum(range(count)), count]


def assert_ended_by(process: subprocess.Popen[str], told: str) -> None:
    """It ends with an error, no rank is left, and the first alone has told why."""
    ranks = children(process)
    code, _, errors = ended(process)
    assert (code, errors) == (FAILED, [told])
    for rank in ranks:
        assert_nobody_is_left(rank)


def test_a_run_goes_on_with_another_number_of_ranks(data: DataSet, tmp_path: Path) -> None:
    """2 ranks until SIGTERM, 3 until one is killed, then 1; against a run on 1 that went through.

    In float32, where the steps magnify rounding, how much depends on the weights: a run from
    weights that are one rounding off says by how much.
    """
    whole, off, run = tmp_path / "whole", tmp_path / "off", tmp_path / "run"
    rounded = rounded_off(find_weights(Path("nano")), tmp_path / "rounded.safetensors")
    for folder, first in ((whole, Path("nano")), (off, rounded)):
        start = ("--run", folder, "--init", first)
        through = torchrun(1, "-m", "--", "trainer", "train", data.folder, *start, *OPTIONS)
        code, out, errors = ended(through)
        assert (code, errors) == (RAN, [])
        assert out.count("epoch 2/2") == out.count("trained: ") == 1

    command = ("--no-python", "--", TRAINER, "train", data.folder, "--run", run, *OPTIONS)
    command = (*command, "--save-seconds", 0)
    told = f"stopped; the same command with --resume goes on from {run / LAST}"
    process = torchrun(2, *command, "--init", "nano")
    wait_until(lambda: updates(run) >= 3)
    process.send_signal(signal.SIGTERM)
    assert_ended_by(process, told)

    process = torchrun(3, *command, "--resume")
    wait_until(lambda: updates(run) >= 10)
    os.kill(rank_of(process, 2), signal.SIGKILL)
    assert_ended_by(process, told)
    assert 10 <= updates(run) < 16

    code, _, errors = ended(torchrun(1, *command, "--resume"))
    assert (code, errors) == (RAN, [])
    began = weights(read_tensors(find_weights(Path("nano")), CPU), "ema")
    found, near, wanted = (read_tensors(folder / LAST, CPU) for folder in (run, off, whole))
    for part in ("model", "ema"):
        distance, rounding = (
            apart(weights(end, part), weights(wanted, part), began) for end in (found, near)
        )
        print(
            f"2, 3, then 1 ranks, {part}: {distance:.1e} of the way apart, rounding {rounding:.1e}"
        )
        assert distance < ROUNDINGS * rounding < LOST
    assert [record["step"] for record in curve(run)] == [8, 16]
    files = {path.name for path in run.iterdir() if not path.name.startswith("events")}
    assert files == {BEST, LAST, "best.json", "last.json", "log.jsonl", "curves.png"}


def test_an_error_on_one_rank_ends_all(data: DataSet, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = torchrun(2, "-m", "tests.trainer.ranked", "fail_on_the_last", data.folder, run)
    wait_until(lambda: updates(run) >= 1)
    ranks = children(process)
    code, _, errors = ended(process)
    assert code == FAILED
    assert errors == [
        "error: rank 1: train-00001.tar is gone",
        f"stopped; the same command with --resume goes on from {run / LAST}",
    ]
    for rank in ranks:
        assert_nobody_is_left(rank)


def test_what_is_wrong_for_all_is_told_once(data: DataSet, tmp_path: Path) -> None:
    command = ("--no-python", "--", TRAINER, "train", data.folder, "--run", tmp_path / "run")
    code, _, errors = ended(torchrun(2, *command, "--resume"))
    assert code == FAILED
    assert errors == [
        f"error: {tmp_path / 'run' / LAST} does not exist, there is nothing to resume; leave out "
        "--resume"
    ]
    assert not (tmp_path / "run").exists()


def test_training_leaves_nothing_that_keeps_the_ranks_from_parting(
    data: DataSet, tmp_path: Path
) -> None:
    state = State(ranked.CONFIG, CPU)
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        train(data, tmp_path, state, ranks=Ranks())
        left = [one for one in gc.get_objects() if type(one) is DistributedDataParallel]
    finally:
        dist.destroy_process_group()
    assert not left


def test_what_several_ranks_cannot_do_is_refused() -> None:
    Ranks(0, 3).check(3, compiled=False, judged=False)
    with pytest.raises(UserError, match="a batch of 2 is too small for 3 ranks; start fewer by --"):
        Ranks(0, 3).check(2, compiled=False, judged=False)
    with pytest.raises(UserError, match="--compile is for one process, not for 2 ranks; leave"):
        Ranks(0, 2).check(256, compiled=True, judged=False)
    Ranks().check(1, compiled=True, judged=True)


def test_each_rank_has_a_device_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    assert choose_device("auto") == torch.device("cuda")
    assert choose_device("cpu", 1) == CPU
    with pytest.raises(UserError, match="rank 2 of this machine has no CUDA device .* there are 2"):
        choose_device("cuda", 2)
