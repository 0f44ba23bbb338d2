"""Checkpoints of strangers: nothing is unpickled, and the part that is wrong is named."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from shards.errors import UserError
from shards.reader import DataSet
from tests.faults.pickles import Bomb
from tests.trainer.conftest import write_data_set
from trainer.checkpoint import BEST, LAST, load_reader, read_header, read_tensors
from trainer.config import Config
from trainer.state import State

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    data = DataSet(write_data_set(folder / "set", {"train": 2}))
    State(Config("nano"), CPU).save(folder / LAST, data.manifest)
    return folder / LAST


@pytest.mark.parametrize("name", [BEST, "model.pth", "x.pkl"])
@pytest.mark.parametrize(
    "write",
    [
        lambda path: torch.save(Bomb(), path),
        lambda path: torch.save({"a": torch.zeros(3)}, path),
        lambda path: path.write_bytes(pickle.dumps(Bomb())),
        lambda path: path.write_bytes(pickle.dumps(Bomb(), protocol=5)),
    ],
)
def test_a_checkpoint_that_is_a_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Callable[[Path], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    write(path)
    for read in (read_header, lambda path: read_tensors(path, CPU), lambda p: load_reader(p, CPU)):
        with pytest.raises(UserError, match=rf"{name} is a pickle, which can run any code"):
            read(path)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_pickle_of_the_first_protocol_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / BEST
    path.write_bytes(pickle.dumps(Bomb(), protocol=0))
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_header(path)


def test_a_checkpoint_whose_first_bytes_are_those_of_a_pickle(checkpoint, tmp_path) -> None:
    """They are the length of its header, which may be any."""
    path, header = tmp_path / BEST, checkpoint.with_suffix(".json").read_text()
    tensors = read_tensors(checkpoint, CPU)

    def write(padding: int) -> bytes:
        path.write_bytes(save(tensors, metadata={"header": header, "padding": "x" * padding}))
        return path.read_bytes()[:8]

    length = int.from_bytes(write(0), "little")
    assert write(0x10280 - length) == bytes.fromhex("8002010000000000")
    assert read_header(path).model == "nano"
    assert set(read_tensors(path, CPU)) == set(tensors)


def rewrite(source: Path, path: Path, change: Callable[[dict], object]) -> Path:
    header = json.loads(source.with_suffix(".json").read_text())
    changed = change(header)
    text = json.dumps(changed if isinstance(changed, list) else header)
    path.write_bytes(save(read_tensors(source, CPU), metadata={"header": text}))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: ["a list"], "header is not an object"),
        (lambda header: header.update(epoch=-1), "header: epoch is -1, not in 0..9"),
        (lambda header: header.update(seconds=1 << 60), "header: seconds is .*, not in 0..9"),
        (lambda header: header.update(best=float("nan")), "is damaged or no checkpoint"),
        (lambda header: header.update(best=None), "header: best is not a number"),
        (lambda header: header.update(epoch="1"), "header: epoch is not a whole number"),
        (lambda header: header.update(config=[]), "header: config is not an object"),
        (lambda header: header.update(model=["nano"]), "header: model is not a string"),
        (lambda header: header.update(code="import os"), "has an unknown field 'code'"),
        (lambda header: header.pop("best"), "lacks the field 'best'"),
    ],
)
def test_headers_that_say_what_cannot_be(checkpoint, tmp_path, change, message: str) -> None:
    path = rewrite(checkpoint, tmp_path / "x.safetensors", change)
    with pytest.raises(UserError, match=message):
        read_header(path)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("weight_decay", None),
        ("weight_decay", -1),
        ("batch", 2.5),
        ("batch", True),
        ("seed", 1 << 70),
        ("rate", 10**30),
        ("precision", 32),
        ("code", "import os"),
    ],
)
def test_options_that_no_run_has(checkpoint, tmp_path, option: str, value: object) -> None:
    path = rewrite(
        checkpoint, tmp_path / BEST, lambda header: header["config"].update({option: value})
    )
    with pytest.raises(
        UserError, match=f"option {option} = .* is none of this trainer; use --init"
    ):
        State.load(path, CPU)


def with_tensors(source: Path, path: Path, change: Callable[[dict], object]) -> Path:
    tensors = read_tensors(source, CPU)
    change(tensors)
    header = source.with_suffix(".json").read_text()
    path.write_bytes(save(tensors, metadata={"header": header}))
    return path


def test_a_run_that_lacks_what_it_needs_to_go_on(checkpoint, tmp_path) -> None:
    path = with_tensors(checkpoint, tmp_path / BEST, lambda tensors: tensors.pop("random"))
    with pytest.raises(UserError, match="lacks what a run needs to go on"):
        State.load(path, CPU)


@pytest.mark.parametrize(
    ("name", "tensor", "told"),
    [
        (
            "ema.sequence.bias",
            torch.zeros(23),
            r"F32 of shape \[23\], a nano has F32 of shape \[22",
        ),
        ("ema.sequence.bias", torch.zeros(22).half(), "F16 .* has F32"),
        (
            "optimizer.0.exp_avg",
            torch.zeros(3),
            r"F32 of shape \[3\], a nano has F32 of shape \[16,",
        ),
        ("optimizer.999.step", torch.zeros(()), "has no such tensor"),
        ("optimizer.0", torch.zeros(3), "has no such tensor"),
        ("../x", torch.zeros(3), "has no such tensor"),
        ("random", torch.zeros(1 << 20, dtype=torch.uint8), r"U8 of shape \[1048576\]"),
    ],
)
def test_tensors_that_no_checkpoint_has(checkpoint, tmp_path, name, tensor, told) -> None:
    path = with_tensors(checkpoint, tmp_path / BEST, lambda tensors: tensors.update({name: tensor}))
    for read in (lambda p: read_tensors(p, CPU), lambda p: load_reader(p, CPU)):
        with pytest.raises(UserError, match=f"of another network: '{name}' is .*{told}"):
            read(path)


def test_weights_that_are_missing(checkpoint, tmp_path) -> None:
    name = "sequence.bias"
    path = with_tensors(checkpoint, tmp_path / BEST, lambda tensors: tensors.pop(f"ema.{name}"))
    with pytest.raises(UserError, match=f"best.safetensors lacks the weights '{name}'"):
        load_reader(path, CPU)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.update(data_offsets=[0, 1 << 62]), "is damaged or no checkpoint"),
        (lambda entry: entry.update(shape=[1 << 40, 1 << 40]), "is damaged or no checkpoint"),
        (lambda entry: entry.update(shape=[1 << 63, 2, 0]), "is damaged or no checkpoint"),
        (lambda entry: entry.update(shape=[-1]), "is damaged or no checkpoint"),
        (lambda entry: entry.update(dtype="PICKLE"), "is damaged or no checkpoint"),
        (lambda entry: entry.update(data_offsets=[4, 92]), "is damaged or no checkpoint"),
    ],
)
def test_a_header_that_lies(checkpoint: Path, tmp_path: Path, change, message: str) -> None:
    path, data = tmp_path / BEST, checkpoint.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header["ema.sequence.bias"])
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    for read in (read_header, lambda p: read_tensors(p, CPU), lambda p: load_reader(p, CPU)):
        with pytest.raises(UserError, match=message):
            read(path)


@pytest.mark.parametrize("length", [(1 << 20) + 1, 1 << 40, (1 << 64) - 1])
def test_a_header_of_gigabytes(checkpoint: Path, tmp_path: Path, length: int) -> None:
    path = tmp_path / BEST
    path.write_bytes(length.to_bytes(8, "little") + checkpoint.read_bytes()[8:])
    with pytest.raises(UserError, match=rf"its header has {length:,} bytes, over 1,048,576"):
        read_header(path)


def test_a_checkpoint_of_gigabytes(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / BEST
    path.write_bytes(checkpoint.read_bytes())
    os.truncate(path, 10 << 30)
    with pytest.raises(UserError, match="it has 10,737,418,240 bytes, over 536,870,912"):
        read_header(path)


@pytest.mark.parametrize("size", [0, 7, 8, 100, 5000, 500_000])
def test_a_truncated_checkpoint(checkpoint: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(checkpoint.read_bytes()[:size])
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_header(path)
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_tensors(path, CPU)
