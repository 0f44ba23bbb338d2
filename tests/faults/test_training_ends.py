"""What no training can go on with: losses that are not finite, memory, devices, checkpoints."""

import json
import re
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from shards.errors import UserError
from shards.reader import DataSet
from tests.faults.builds import contents
from tests.faults.runs import command, finished
from tests.trainer.conftest import write_data_set
from trainer import cli
from trainer.checkpoint import BEST, LAST, read_tensors
from trainer.config import Config
from trainer.data import Order
from trainer.export import export
from trainer.log import SKIPPED
from trainer.memory import told_when_short
from trainer.state import State

MEMORY = 2_000_000_000  # bytes of address space: enough for torch, not for base on 1,024 images
SPLITS = {"test": 4, "val": 4, "train": 256}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return DataSet(write_data_set(tmp_path_factory.mktemp("data") / "printed", SPLITS))


def write_run(folder: Path, data: DataSet, **options: object) -> Path:
    """A run before its first step."""
    folder.mkdir()
    state = State(Config("nano", batch=4, epochs=1, **options), torch.device("cpu"))
    for name in (BEST, LAST):
        state.save(folder / name, data.manifest)
    return folder


@pytest.fixture(scope="module")
def run(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", data)


def test_losses_that_are_not_finite_end_a_run_and_leave_its_checkpoints(
    data: DataSet, tmp_path: Path
) -> None:
    """At a rate of 8e15 the first step leaves weights that no number is large enough for."""
    run = write_run(tmp_path / "run", data, rate=8e15)
    before = contents(run)
    code, out, errors = finished(*command(data.folder, run, "--resume", "--threads", 1))
    assert code == 1
    assert re.search(
        r"^the run goes on as it began: .*rate 8000000000000000\.0, not 0\.0", out, re.M
    )
    assert errors == (
        "error: the loss or its gradient has not been finite for 10 steps in a row before step "
        f"50; {run / SKIPPED} names their samples, the checkpoints are those of before: begin "
        "another run, from one of them by --init or from none, with a lower --rate\n"
    )
    noted = [json.loads(line) for line in (run / SKIPPED).read_text().splitlines()]
    rows = Order(256, 256, 4, 0).indices(0)
    first = SPLITS["test"] + SPLITS["val"]  # the key of the first training sample
    assert noted == [
        {"step": step + 1, "epoch": 0, "keys": [f"{first + row:09}" for row in rows[step]]}
        for step in range(1, 11)
    ]
    assert out.count("was skipped, its loss is not finite") == 10
    assert before.items() <= contents(run).items()


def test_memory_that_does_not_suffice(tmp_path: Path) -> None:
    run, many = tmp_path / "run", write_data_set(tmp_path / "many", SPLITS | {"train": 1024})
    options = ("--model", "base", "--batch", 1024, "--threads", 1)
    code, _, errors = finished(
        *command(many, run, *options),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert code == 1
    assert errors == (
        "error: the memory of this machine, or this process's share of it, does not suffice; end "
        "other programs, or begin a run with a smaller --batch than 1024\n"
    )
    assert not list(run.glob("*.safetensors"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), r"the CUDA device \(1.5 of 80.0 GB free\)"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "of the CUDA device"),
        (torch.AcceleratorError("CUDA error: out of memory", 2), "of the CUDA device"),
        (MemoryError(), "of this machine"),
        (RuntimeError("could not create a primitive"), "of this machine"),
    ],
)
def test_what_tells_of_memory(error: Exception, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of CUDA's error only the class is here: it needs no device."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1_500_000_000, 80_000_000_000))
    sentence = f"{told}.* does not suffice; end other programs, or x$"
    with pytest.raises(UserError, match=sentence), told_when_short(", or x"):
        raise error
    with pytest.raises(RuntimeError, match="^size mismatch$"), told_when_short():
        raise RuntimeError("size mismatch")


def said(*arguments: object) -> Callable[[pytest.MonkeyPatch, pytest.CaptureFixture[str]], str]:
    """The one sentence with which the command `trainer` ends, run in this process."""

    def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
        monkeypatch.setattr("sys.argv", ["trainer", *map(str, arguments)])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as end:
            cli.main()
        # A string as the code of SystemExit is what Python prints, and exits with 1.
        assert isinstance(end.value.code, str)
        assert end.value.code.startswith("error: ")
        assert "\n" not in end.value.code
        return end.value.code.removeprefix("error: ")

    return run


def change_header(source: Path, path: Path, **changes: object) -> Path:
    """A checkpoint like `source`, of which the header says something else."""
    from safetensors.torch import save

    header = json.loads(source.with_suffix(".json").read_text()) | changes
    tensors = read_tensors(source, torch.device("cpu"))
    path.write_bytes(save(tensors, metadata={"header": json.dumps(header)}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "is a checkpoint of version 3, this trainer reads versions 1 to 2; train"),
        ({"charset": "0123456789-"}, "holds a model 'nano' for '0123456789-'; this trainer knows"),
        ({"model": "huge"}, "holds a model 'huge' for '0123456789'; this trainer knows base, opt"),
        ({"model": "base"}, "holds the "),
    ],
)
@pytest.mark.parametrize("way", ["resume", "init", "evaluate", "export"])
def test_checkpoints_of_others(
    run: Path, data: DataSet, tmp_path: Path, monkeypatch, capsys, changes, message, way
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    path = change_header(run / LAST, mine / LAST, **changes)
    shutil.copy(path, mine / BEST)
    ways = {
        "resume": ("train", data.folder, "--run", mine, "--resume"),
        "init": ("train", data.folder, "--run", tmp_path / "new", "--init", path),
        "evaluate": ("evaluate", path, data.folder),
        "export": ("export", mine, tmp_path / "out", "--data", data.folder),
    }
    before = contents(mine)
    sentence = said(*ways[way])(monkeypatch, capsys)
    assert message in sentence
    assert str(mine) in sentence
    assert contents(mine) == before
    assert {path.name for path in tmp_path.iterdir()} == {"mine"}


@pytest.mark.parametrize("left", [{"val": 4, "train": 4}, {"test": 0, "val": 4, "train": 4}])
@pytest.mark.parametrize("name", ["evaluate", "export", "quantize", "ship", "compare"])
def test_a_data_set_without_a_test_split(
    run: Path, data: DataSet, tmp_path: Path, monkeypatch, capsys, left: dict[str, int], name: str
) -> None:
    other = write_data_set(tmp_path / "other", left | {"train": 4})
    out = tmp_path / "out"
    if name in ("quantize", "ship", "compare"):
        export(run, out, data, 4)
    arguments = {
        "evaluate": ("evaluate", run, other),
        "export": ("export", run, out, "--data", other),
        "quantize": ("quantize", out, other),
        "ship": ("ship", out, tmp_path / "shipped", "--test", other),
        "compare": ("compare", out, "--data", other),
    }
    before = sorted(tmp_path.rglob("*"))
    sentence = said(*arguments[name])(monkeypatch, capsys)
    assert sentence in (
        f"{other} has no split 'test': it has val, train; name another data set, or build one "
        "with it",
        f"{other} has no images of the split 'test'; name another data set, or build one with it",
    )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("split", ["val", "train"])
def test_a_data_set_that_cannot_train(tmp_path: Path, monkeypatch, capsys, split: str) -> None:
    other = write_data_set(tmp_path / "other", {"test": 4, "val": 4, "train": 4} | {split: 0})
    sentence = said("train", other, "--run", tmp_path / "run")(monkeypatch, capsys)
    assert f"has no images of the split '{split}'" in sentence
    assert not (tmp_path / "run").exists()


def test_no_cuda_though_asked_for(run: Path, data: DataSet, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for start in (
        ("train", data.folder, "--run", tmp_path / "new"),
        ("evaluate", run, data.folder),
    ):
        sentence = said(*start, "--device", "cuda")(monkeypatch, capsys)
        assert sentence == "no CUDA device was found here; use --device cpu or auto"
    assert not list(tmp_path.iterdir())


def test_a_second_training_in_one_folder(run: Path, data: DataSet, tmp_path: Path) -> None:
    from shards.lock import locked
    from trainer.start import start

    mine = write_run(tmp_path / "mine", data)
    before = contents(mine)
    with (
        locked(mine, "training in"),
        pytest.raises(
            UserError,
            match=f"another process is training in {mine}; wait until it is done, or name",
        ),
    ):
        start(data.folder, Config("nano"), mine, "cpu", resume=True)
    assert contents(mine) == before
