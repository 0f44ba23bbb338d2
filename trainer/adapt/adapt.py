"""From a reader and a folder of someone's digits to a better reader, measured on both sides."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from shards.canvas import fit
from shards.errors import UserError
from shards.files import replacing
from shards.joined import Joined
from shards.labels import MAX_DIGITS
from shards.reader import DataSet
from trainer.adapt.compose import CHILD, HELD_OUT, WRITTEN, Sets, Sizes, compose
from trainer.adapt.deal import Dealt, deal
from trainer.adapt.outcome import Comparison, Outcome, as_json, as_text
from trainer.adapt.tune import tune
from trainer.checkpoint import find_weights
from trainer.export import export
from trainer.files import INT8_READER, READER
from trainer.metrics import Evaluation, evaluate
from trainer.predict import Read, by_onnx, open_reader, read_split
from trainer.quantize import quantize
from trainer.ship import measure, ship

JSON, TEXT = "adaptation.json", "adaptation.txt"
ALONE = "held-out digits"  # the pictures one by one


@dataclass(frozen=True)
class Options:
    """How an adaptation is done.

    images: numbers to train on, of which `own` is the share of someone's own digits. test, val:
    numbers of each test, and of each of the two kinds by everyone else to validate on. max_drop:
    how much less of everyone else's numbers may be read; half of it is aimed at. minutes: of
    training at most, 0 for no limit.
    """

    images: int = 100_000
    own: float = 0.2
    test: int = 3_000
    val: int = 2_000
    max_drop: float = 0.01
    minutes: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.own < 1 or min(round(self.images * self.own), self.test, self.val) < 1:
            raise UserError(
                f"{self.images} images of which {self.own:g} are own, with {self.test} to test "
                f"and {self.val} to validate: give a share between 0 and 1, and images of each"
            )
        for name, value in (
            ("largest drop", self.max_drop),
            ("minutes", self.minutes),
            ("seed", self.seed),
        ):
            if not value >= 0:  # nor NaN
                raise UserError(f"the {name} is {value:g}; it must be a number from 0 on")


def adapt(
    digits: Path,
    out: Path,
    init: Path,
    others: DataSet | None = None,
    tests: Sequence[DataSet] = (),
    options: Options = Options(),
    threads: int = 0,
) -> Outcome:
    """Adapt the reader with the weights `init` to the hands of the folder `digits`.

    `out` gets the sets, the run, `adaptation.json` and `.txt`, and the readers to give away, as
    `trainer.ship` makes them. Everyone else's numbers to train on are those of the embedded digits
    and the pen model, and as many of `others`; `tests` are measured beside them, too.

    Raises UserError when `out` holds anything, or something cannot be read or is too little.
    Where everyone else's numbers are read worse than the limit allows, no readers are written; see
    `Outcome`.
    """
    began = time.monotonic()
    if threads:
        torch.set_num_threads(threads)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"{out} is not empty; name a new folder for the adaptation")
    weights = find_weights(init)
    before = open_reader(weights, torch.device("cpu"))  # first of all: it may be none
    dealt = deal(digits, out / "digits")
    sizes = _sizes(options, others is not None)
    _require_different([HELD_OUT, CHILD, WRITTEN, *(test.manifest.name for test in tests)])
    if others:
        _require_enough(others, sizes.others)
    sets = compose(dealt, out / "data", sizes, options.seed)
    wanted = [sets.held_out, sets.child, sets.written, *tests]
    data = _mix(sets, others)
    tuned = tune(data, weights, out / "run", options.max_drop / 2, options.minutes, options.seed)
    command = _command(digits, init, others, tests, options)
    exported = tuned.run / "onnx"
    export(tuned.run, exported, data, options.test, command)
    quantize(exported, data, images=options.test, max_drop=options.max_drop)
    readers = {"fp32": exported / READER, "int8": exported / INT8_READER}
    after = measure(readers, wanted, options.test, exported)
    outcome = Outcome(
        start=str(init),
        writers=dealt.writers,
        learned=len(dealt.pictures(dealt.train)),
        held_out=len(dealt.pictures(dealt.held_out)),
        share=tuned.share,
        seconds=0.0,
        max_drop=options.max_drop,
        tests=_alone(before, readers, dealt) | _tests(before, after, wanted, options.test),
    )
    if not outcome.refused:
        made = ship(exported, out, wanted, options.test, [command], after)
        outcome = replace(outcome, readers=tuple(map(str, made)))
    outcome = replace(outcome, seconds=time.monotonic() - began)
    for name, text in ((JSON, as_json(outcome)), (TEXT, as_text(outcome) + "\n")):
        with replacing(out / name) as file:
            file.write(text.encode())
    return outcome


def _sizes(options: Options, with_others: bool) -> Sizes:
    own = round(options.images * options.own)
    rest = options.images - own
    return Sizes(own, rest // 2 if with_others else rest, options.test, options.val)


def _mix(sets: Sets, others: DataSet | None) -> Joined:
    """Someone's numbers and everyone else's, half of these `others`' where there are any."""
    if others is None:
        return Joined([sets.own, sets.child, sets.written])
    return Joined(
        [sets.own, others, sets.child, sets.written], most=[None, sets.child.count("train")]
    )


def _require_enough(others: DataSet, wanted: int) -> None:
    given = others.manifest.splits.get("train", 0)
    if given < wanted:
        raise UserError(
            f"{others.where} has {given:,} images to train on, not {wanted:,}; build more, or "
            "ask for fewer by --images"
        )


def _require_different(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise UserError(f"tests must have different names, not {', '.join(names)}; rename a folder")


def _alone(before: Read, readers: dict[str, Path], dealt: Dealt) -> dict[str, Comparison]:
    """Read the held-out pictures one by one, as `fit` places them."""
    pictures = dealt.pictures(dealt.held_out)
    images = np.stack([fit(path) for path, _ in pictures])
    truth = np.full((len(pictures), MAX_DIGITS), -1, np.int8)
    truth[:, 0] = [digit for _, digit in pictures]

    def read(reader: Read) -> Evaluation:
        return evaluate(reader(images), truth)

    after = {precision: read(by_onnx(path)) for precision, path in readers.items()}
    return {ALONE: Comparison(False, read(before), after)}


def _tests(
    before: Read, after: dict[str, list[Evaluation]], wanted: list[DataSet], images: int
) -> dict[str, Comparison]:
    tests = {}
    for number, data in enumerate(wanted):
        results = {precision: found[number] for precision, found in after.items()}
        was = evaluate(*read_split(before, data, "test", images))
        tests[data.manifest.name] = Comparison(
            number > 0, was, results
        )  # the first is the held-out one
    return tests


def _command(
    digits: Path, init: Path, others: DataSet | None, tests: Sequence[DataSet], options: Options
) -> str:
    words = ["trainer", "adapt", "--digits", str(digits), "--init", str(init)]
    words += ["--others", others.where] if others else []
    words += [word for test in tests for word in ("--test", test.where)]
    for field in fields(options):
        if (value := getattr(options, field.name)) != field.default:
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    return shlex.join(words)
