"""The whole way: someone's pictures in, readers and their figures out, or none."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shards.errors import UserError
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set
from trainer.adapt import adapt as module
from trainer.adapt.adapt import JSON, TEXT, Options, adapt
from trainer.adapt.compose import Sets
from trainer.adapt.tune import Tuned
from trainer.checkpoint import find_weights, read_header, weights_sha256
from trainer.facts import read_card
from trainer.read import Reader
from trainer.shipped import FOLDER as PRETRAINED

SMALL = Options(images=300, own=0.5, test=60, val=60, max_drop=1)


@pytest.fixture(scope="module")
def done(digit_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapted") / "out"
    extra = DataSet(
        write_data_set(out.parent / "extra", {"test": 20, "val": 2, "train": 80}, "extra")
    )
    outcome = adapt(digit_folder, out, Path("nano"), extra, [extra], SMALL, threads=1)
    assert outcome.writers == tuple(f"pen-{n:03}" for n in range(10))
    assert (outcome.learned, outcome.held_out) == (100, 100)
    assert outcome.readers == tuple(str(out / f"nano-{kind}") for kind in ("fp32", "int8"))
    return out


def test_readers_are_made_that_say_where_they_come_from(done: Path, digit_folder: Path) -> None:
    for kind in ("fp32", "int8"):
        card = read_card(done / f"nano-{kind}" / "reader.onnx")
        assert card["trained"].startswith(f"trainer adapt --digits {digit_folder} --init nano")
        extra = done.parent / "extra"
        assert f"--others {extra} --test {extra} --images" in card["trained"]
        assert "--own 0.5" in card["trained"]
        assert card["init"] == weights_sha256(find_weights(PRETRAINED / "nano-fp32"))
        assert card["data"].startswith("own+extra+child+written ")
    picture = next((done / "digits" / "held-out").rglob("7/*.png"))
    assert Reader(done / "nano-int8" / "reader.onnx").read(picture).text == "7"
    assert read_header(done / "nano-fp32" / "weights.safetensors").model == "nano"


def test_both_sides_are_measured_before_and_after(done: Path) -> None:
    content = json.loads((done / JSON).read_text())
    counts = {name: test["before"]["exact"]["count"] for name, test in content["tests"].items()}
    names = ("held-out digits", "held-out-numbers", "child", "written", "extra")
    assert counts == dict(zip(names, (100, 60, 60, 60, 20), strict=True))
    for test in content["tests"].values():
        assert set(test["after"]) == {"fp32", "int8"}
    assert [name for name in names if content["tests"][name]["standard"]] == list(names[2:])
    assert "held-out digits              100" in (done / TEXT).read_text()


def test_held_out_pictures_are_in_no_number_that_was_learned(done: Path) -> None:
    sources = [DataSet(done / "data" / name).manifest for name in ("own", "held-out-numbers")]
    for manifest, split in zip(sources, ("train", "test"), strict=True):
        (source,) = [s for s in manifest.sources if s["name"] == "pens"]
        assert source["count"] == 100
        assert {writer[1] for writer in source["writers"]} == {split}
        assert len(manifest.sources) == 1  # nothing that another hand has written


def test_a_folder_with_an_adaptation_is_left_alone(done: Path, digit_folder: Path) -> None:
    before = (done / JSON).read_bytes()
    with pytest.raises(UserError, match="is not empty; name a new folder for the adaptation"):
        adapt(digit_folder, done, Path("nano"), options=SMALL)
    assert (done / JSON).read_bytes() == before


def test_ones_own_pictures_are_never_touched(digit_folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "digits" / "train" / "mine"
    shutil.copytree(digit_folder, own)
    before = {path: path.read_bytes() for path in own.rglob("*.png")}
    with pytest.raises(UserError, match="is not empty; name a new folder"):
        adapt(own, tmp_path, Path("nano"), options=SMALL)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def test_no_reader_is_made_where_the_rest_got_worse(
    digit_folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(*_: object) -> Tuned:
        shutil.copytree(run, tmp_path / "out" / "run")
        return Tuned(tmp_path / "out" / "run", 1.0)

    monkeypatch.setattr(module, "tune", forget)
    monkeypatch.setattr(module, "quantize", lambda folder, *_, **__: fake_int8(folder))
    options = Options(images=200, own=0.5, test=40, val=40)
    outcome = adapt(digit_folder, tmp_path / "out", Path("nano"), options=options, threads=1)
    assert outcome.refused
    assert not list((tmp_path / "out").glob("nano-*"))
    assert "REFUSED" in (tmp_path / "out" / TEXT).read_text()


@pytest.mark.parametrize("own", [0.2, 0.5, 0.8])
def test_as_many_are_mixed_in_as_was_asked_for(tmp_path: Path, own: float) -> None:
    sizes = module._sizes(Options(images=200, own=own), with_others=True)
    own_set, child, written, others = (
        DataSet(write_data_set(tmp_path / name, {"test": 1, "val": 1, "train": count}, name))
        for name, count in (
            *(("own", sizes.own), ("child", sizes.others)),
            *(("written", 0), ("others", 400)),
        )
    )
    joined = module._mix(Sets(own_set, child, child, written), others)
    assert joined.count("train") == 200
    assert sizes.own == round(200 * own)


def test_too_few_others_are_told_before_anything_is_built(
    digit_folder: Path, printed: DataSet, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"images to train on, not 4,000; build more"):
        adapt(
            digit_folder,
            tmp_path / "out",
            Path("nano"),
            others=printed,
            options=Options(images=10_000, own=0.2),
        )
    assert not (tmp_path / "out" / "data").exists()


@pytest.mark.parametrize("field", ["max_drop", "minutes"])
@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_limits_that_are_none_are_refused(field: str, value: float) -> None:
    with pytest.raises(UserError, match=f"is {value:g}; it must be a number from 0 on"):
        Options(**{field: value})


def fake_int8(folder: Path) -> None:
    """The float files under the names of the 8-bit ones: random weights lose too much in 8 bits."""
    for name in ("reader", "logits"):
        shutil.copyfile(folder / f"{name}.onnx", folder / f"{name}.int8.onnx")


def test_the_generators_error_is_ours(tmp_path: Path) -> None:
    for digit in range(10):
        (tmp_path / "hers" / str(digit)).mkdir(parents=True)
        for n in range(2):
            (tmp_path / "hers" / str(digit) / f"anna_{n}.png").write_text(f"no picture {n}")
    code = "import sys; from trainer.cli import main; sys.argv[0] = 'trainer'; main()"
    command = [sys.executable, "-c", code, "adapt", str(tmp_path / "out")]
    command += ["--digits", str(tmp_path / "hers")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: generator digits failed: ")
    assert "has 10 unreadable pictures" in done.stderr
    assert "Traceback" not in done.stderr
