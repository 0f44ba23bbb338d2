import dataclasses
import json
from pathlib import Path

import pytest
import torch

from shards.errors import UserError
from trainer import checkpoint
from trainer.checkpoint import (
    BEST,
    WEIGHTS,
    Header,
    find_checkpoint,
    find_weights,
    load_reader,
    read_header,
    read_tensors,
    save,
    save_weights,
)
from trainer.config import Config
from trainer.state import State

CPU = torch.device("cpu")


def test_the_json_beside_a_checkpoint_says_what_its_header_says(run: Path) -> None:
    beside = json.loads((run / "best.json").read_text())
    assert Header(**beside) == read_header(run / BEST)
    assert beside["model"] == "nano"
    assert beside["data"] == "printed 1.0.0"
    assert len(beside["fingerprint"]) == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "version 3, this trainer reads versions 1 to 2"),
        ({"model": "huge"}, "holds a model 'huge'"),
        ({"charset": "0123456789ABCDEF"}, "for '0123456789ABCDEF'; this trainer knows"),
        ({"model": "optimized"}, "holds the weights of another network"),
    ],
)
def test_another_checkpoint_is_refused(
    run: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "other.safetensors"
    header = dataclasses.replace(read_header(run / BEST), **change)  # type: ignore[arg-type]
    save(path, header, read_tensors(run / BEST, CPU))
    with pytest.raises(UserError, match=message):
        load_reader(path, CPU)


def test_what_is_no_checkpoint_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no checkpoint file"):
        read_header(tmp_path / "none.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((run / BEST).read_bytes()[:5000])
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        read_header(cut)


def test_weights_to_start_from_are_the_averaged_ones_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "nano-fp32"
    folder.mkdir()
    save_weights(run, folder / WEIGHTS)
    assert [path.name for path in folder.iterdir()] == [WEIGHTS]
    assert read_header(folder / WEIGHTS) == read_header(run / BEST)
    kept, whole = read_tensors(folder / WEIGHTS, CPU), read_tensors(run / BEST, CPU)
    assert set(kept) == {name for name in whole if name.startswith("ema.")}
    assert all(torch.equal(kept[name], whole[name]) for name in kept)
    assert find_checkpoint(folder) == folder / WEIGHTS

    monkeypatch.setattr(checkpoint, "FOLDER", tmp_path)
    for name in ("nano", "nano-fp32", str(folder), str(folder / WEIGHTS)):
        assert find_weights(Path(name)) == folder / WEIGHTS
    (tmp_path / "here" / "nano").mkdir(parents=True)  # a folder by chance, without any weights
    monkeypatch.chdir(tmp_path / "here")
    assert find_weights(Path("nano")) == folder / WEIGHTS
    state = State(Config("nano"), CPU)
    state.start_from(find_weights(Path("nano")))
    assert torch.equal(state.model.sequence.weight, whole["ema.sequence.weight"])
    with pytest.raises(UserError, match="base is no run folder, .*; these do: nano-fp32"):
        find_weights(Path("base"))
