"""A checkpoint to logits.onnx and reader.onnx, calibrated, proved equal to torch on samples."""

import logging
import shlex
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import ModelProto
from torch.export import Dim

from shards import __version__
from shards.canvas import HEIGHT, INK_HEIGHT, INK_WIDTH, RIGHT_MARGIN, WIDTH
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.manifest import Manifest
from shards.reader import DataSet
from trainer.calibrate import calibrate
from trainer.check_export import to_checker
from trainer.checkpoint import (
    CHARSET,
    WEIGHTS,
    Header,
    load_reader,
    save_weights,
    weights_sha256,
)
from trainer.config import Config
from trainer.ctc import BLANK, Decoded, greedy_decode
from trainer.facts import write_json
from trainer.files import CARD, CHECKER, INT8, LOGITS, READER
from trainer.graph import OPSET, opsets, strip, with_decoder, write_model
from trainer.models import Reader, count_parameters
from trainer.predict import by_onnx, by_torch, chunks, read_split
from trainer.runtime import open_session, run

FIXED = ("warmup", "weight_decay", "clip", "average", "val_images")
STARTS = ("init", "averaged", "judge")  # of a Config: what other weights it goes by
TOLERANCE = 1e-3  # of a logit, whose size is about 10


def export(
    checkpoint: Path, out: Path, data: DataSet, images: int = 3_000, command: str | None = None
) -> dict[str, str]:
    """Write logits.onnx, reader.onnx, checker.onnx and reader.json; returns what the JSON says.

    It says that `command` has trained the checkpoint, or else what its options tell.

    Confidence and the checker's thresholds are calibrated on up to 4,000 of the val split. The
    files are checked against torch on up to 512 samples of test, then measured on up to `images`.
    Beside them goes weights.safetensors, to start a training run from, with the weights as they
    were trained. Raises UserError, and leaves no file, when the files read anything differently.
    """
    data.require("test")
    model, header = load_reader(checkpoint, torch.device("cpu"))
    temperature = calibrate(model, data)
    logits = to_onnx(model)
    out.mkdir(parents=True, exist_ok=True)
    drafts = out / f".{LOGITS}.draft", out / f".{READER}.draft"
    try:
        for draft, graph in zip(drafts, (logits, with_decoder(logits)), strict=True):
            write_model(graph, draft, {})
        check(model, drafts[0], drafts[1], data)
        read, truth = read_split(by_onnx(drafts[0]), data, "test", images)
        checker, answering = to_checker(logits, data)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    card = describe(header, count_parameters(model), data.manifest)
    card |= {"accuracy": f"{accuracy(read, truth):.4f}", "accuracy_images": str(len(truth))}
    card |= {"temperature": f"{temperature:.3f}", "opset": opsets(logits)} | answering
    card |= {"weights_sha256": weights_sha256(checkpoint), "tools": tools()}
    card["trained"] = command or card["trained"]
    write_model(logits, out / LOGITS, card)
    write_model(checker, out / CHECKER, card)
    write_model(with_decoder(logits), out / READER, card)
    write_json(card, out / CARD)
    save_weights(checkpoint, out / WEIGHTS)
    for stale in INT8:  # made of what lay here before
        (out / stale).unlink(missing_ok=True)
    return card


def to_onnx(model: Reader) -> ModelProto:
    """Export a model in eval mode: `image` (b, 1, 32, 128) to `logits` (b, T, 11), b free."""
    image = torch.rand(2, 1, HEIGHT, WIDTH)  # of a batch of 1 the exporter makes a constant
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the exporter
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            model,
            (image,),
            dynamo=True,
            external_data=False,
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes={"image": {0: Dim("batch")}},
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    graph = strip(program.model_proto)
    for value in (*graph.graph.input, *graph.graph.output):
        if not value.type.tensor_type.shape.dim[0].dim_param:
            raise RuntimeError(f"the exporter fixed the batch of {value.name}")
    return graph


def check(model: Reader, logits_file: Path, reader_file: Path, data: DataSet) -> None:
    """Raise UserError unless both files read what `model` reads, on 512 samples of test."""
    predict = by_torch(model, torch.device("cpu"))
    session, reader = open_session(logits_file), open_session(reader_file)
    for chunk in chunks(data, "test", 512, 64):
        images, _ = data.gather("test", chunk)
        wanted, found = predict(images), run(session, images)
        numbers, readings = greedy_decode(wanted), run(reader, images)
        apart = float(np.abs(wanted - found).max())
        others = int((_numbers(numbers) != readings[:, [0, 2, 3, 4, 5, 6, 7]]).any(axis=1).sum())
        if not apart <= TOLERANCE or others:
            raise UserError(
                f"the exported file differs from torch by {apart:.2g} in a logit, where "
                f"{TOLERANCE:.2g} is the limit, and in {others} of {len(images)} numbers; nothing "
                "was written; try another version of torch or onnxruntime"
            )


def _numbers(read: Decoded) -> np.ndarray:
    """Value, count and digits, float32 (n, 7), as a reader file puts them out."""
    values = [
        int("".join(map(str, digits[:count]))) if 1 <= count <= MAX_DIGITS else -1
        for digits, count in zip(read.digits.tolist(), read.count.tolist(), strict=True)
    ]
    return np.column_stack([values, read.count, read.digits]).astype(np.float32)


def describe(header: Header, parameters: int, tested: Manifest) -> dict[str, str]:
    """Return what the files say of themselves; `tested` is what their accuracy is measured on."""
    # A checkpoint knows only the fingerprint of what it was trained on.
    known = tested.fingerprint == header.fingerprint
    own = tested.sources if known else []
    return {
        "model": header.model,
        "parameters": str(parameters),
        "charset": CHARSET,
        "blank": str(BLANK),
        "polarity": "white ink on black",
        "range": "0..1",
        "input": f"image float32 [batch, 1, {HEIGHT}, {WIDTH}]",
        "reading": "value, confidence, count, 5 digits (-1 absent), 5 digit confidences",
        "fit": (
            f"crop to the ink, keep the aspect, ink at most {INK_HEIGHT} px high and {INK_WIDTH} "
            f"px wide, right edge {RIGHT_MARGIN} px from the right, vertically centred"
        ),
        "trained": training_command(header),
        **{name: str(header.config[name]) for name in STARTS if header.config.get(name)},
        "checkpoint": (
            f"{header.updates:,} updates in {header.seconds / 60:.0f} minutes, in epoch "
            f"{header.epoch}, {header.accuracy:.4f} of val exact"
        ),
        "data": header.data,
        "fingerprint": header.fingerprint,
        "recipe": tested.recipe.get("name", "unknown") if known else "unknown",
        "digits": ", ".join(f"{s['name']} ({s['licence']})" for s in own) or "unknown",
        "accuracy_on": f"{tested.name} {tested.version}, test",
    }


def training_command(header: Header) -> str:
    """Return the command that trained a checkpoint, with the options that are not the defaults.

    Not those that name other weights, of which only hashes are known (see `STARTS`), nor what the
    command has no option for (`FIXED`).
    """
    usual = {field.name: field.default for field in fields(Config)}
    chosen = {
        name: value
        for name, value in header.config.items()
        if value != usual.get(name) and name not in (*STARTS, *FIXED)
    }
    options = [f"--{name.replace('_', '-')} {_plain(value)}" for name, value in chosen.items()]
    name, _, _version = header.data.rpartition(" ")
    return " ".join(["trainer train", shlex.quote(name), *options])


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def tools() -> str:
    """Name what made an export, with versions."""
    libraries = {"torch": torch, "onnx": onnx, "onnxruntime": onnxruntime}
    versions = [f"{name} {library.__version__}" for name, library in libraries.items()]
    return ", ".join([f"digit-readers {__version__}", *versions])


def accuracy(read: Decoded, truth: np.ndarray) -> float:
    """Return the share of numbers read exactly right."""
    return float(read.equals(truth).mean())
