"""A logits graph to checker.onnx: thresholds from the val split, proved equal to NumPy."""

import tempfile
from pathlib import Path

import numpy as np
from onnx import ModelProto

from shards.errors import UserError
from shards.reader import DataSet
from trainer.allowed import read_model
from trainer.answers import (
    Ask,
    Decisions,
    ask_split,
    best_thresholds,
    by_file,
    by_logits,
    decisions,
)
from trainer.calibrate import CALIBRATION
from trainer.check_graph import Thresholds, with_check
from trainer.confusable import questions
from trainer.facts import metadata, read_json, write_json
from trainer.files import CHECKER, INT8_CHECKER, INT8_LOGITS, LOGITS
from trainer.graph import write_model
from trainer.runtime import open_session

TOLERANCE = 1e-4  # of a probability; float32 differs by 1e-6 from float64
_PROOF = 64  # images


def to_checker(
    network: ModelProto, data: DataSet, images: int = CALIBRATION
) -> tuple[ModelProto, dict[str, str]]:
    """Make a checker of a logits graph; returns it, and what its card says of answers.

    The thresholds are fitted on up to `images` of the val split. Raises UserError when the set has
    no val images, and when the graph answers otherwise than `trainer.likelihood`.
    """
    with tempfile.TemporaryDirectory() as work:
        draft = Path(work) / "logits.onnx"
        write_model(network, draft, {})
        session = open_session(draft, ("logits",))
        thresholds = best_thresholds(ask_split(by_logits(session), data, "val", images))
        checker = with_check(network, thresholds)
        write_model(checker, Path(work) / CHECKER, {})
        file = by_file(open_session(Path(work) / CHECKER, ("answer",)))
        prove(file, by_logits(session, thresholds), data)
    return checker, describe(thresholds)


def prove(file: Ask, reference: Ask, data: DataSet) -> None:
    """Raise UserError unless both answer alike on 64 images of test and a few questions of each."""
    images, truth = data.gather("test", np.arange(min(_PROOF, data.count("test"))))
    rows, expected, _ = questions(truth)
    apart = np.abs(file(images, rows, expected) - reference(images, rows, expected))
    probability, others = float(apart[:, 1:3].max()), int(apart[:, 3].astype(np.bool_).sum())
    if not probability <= TOLERANCE or others:
        raise UserError(
            f"the checker differs from NumPy by {probability:.2g} in a probability, where "
            f"{TOLERANCE:.2g} is the limit, and in {others} of {len(rows)} values; nothing was "
            "written; try another version of onnxruntime"
        )


def describe(thresholds: Thresholds) -> dict[str, str]:
    """Return what the files say of answers."""
    return {
        "check": (
            "image, expected (5 digits, -1 absent) to verdict (1 right, 0 ask again, -1 wrong), "
            "probability (-1: no answer or no image), that of the reading, value"
        ),
        "check_right_from": f"{thresholds.right_from:g}",
        "check_wrong_to": f"{thresholds.wrong_to:g}",
    }


def read_thresholds(facts: dict[str, str], path: Path) -> Thresholds:
    """Return the thresholds that `describe` wrote into `path`; UserError where there are none."""
    try:
        return Thresholds(float(facts["check_right_from"]), float(facts["check_wrong_to"]))
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} names no thresholds; make it with trainer checker") from error


def add_checkers(folder: Path, data: DataSet, images: int) -> list[Path]:
    """Write a checker for each logits file in `folder`, also of a reader that shipped without one.

    The JSON beside it tells the new thresholds, too.

    Raises UserError where there is no logits file, and as `to_checker` does.
    """
    pairs = {LOGITS: CHECKER, INT8_LOGITS: INT8_CHECKER}
    found = {
        folder / name: folder / made for name, made in pairs.items() if (folder / name).is_file()
    }
    if not found:
        raise UserError(
            f"{folder} has no logits.onnx, of which a checker is made; see trainer export"
        )
    for source, target in found.items():
        model = read_model(source)[1]
        card = metadata(model)
        checker, facts = to_checker(model, data, images)
        write_model(checker, target, card | facts)
        beside = target.with_name(target.name.replace("checker", "reader")).with_suffix(".json")
        if beside.is_file():
            write_json(read_json(beside) | facts, beside)
    return list(found.values())


def decide(checker: Path, tests: list[DataSet], images: int) -> dict[str, dict[str, Decisions]]:
    """Ask a checker about the first `images` of the test split of each set, by the set's name.

    Returns nothing where there is no checker.
    """
    if not checker.is_file():
        return {}
    asks = by_file(open_session(checker, ("answer",)))
    return {test.manifest.name: decisions(ask_split(asks, test, "test", images)) for test in tests}
