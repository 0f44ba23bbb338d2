import dataclasses
import json
from pathlib import Path

import pytest
import torch

from shards.errors import UserError
from trainer.checkpoint import BEST, Header, load_reader, read_header, read_tensors, save

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
        ({"version": 2}, "version 2, this trainer reads version 1"),
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
