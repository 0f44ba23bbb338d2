"""From single digits to the readers that ship: every line of the way is a public command.

python -m scripts.reproduce OUT DIGITS

DIGITS holds any of mnist/, kensanata/ and tablet/digits.jsonl. OUT gets RESULTS.md and, for each
model, MODEL-fp32/ and MODEL-int8/ as `trainer ship` makes them, ready for trainer/pretrained; data,
runs and logs lie in OUT/work. Results are written as they come. What was cut off goes on when the
same command runs again; a step that fails is named in RESULTS.md, and the others go on.
"""

import dataclasses
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from scripts.results import machine, write_results
from scripts.steps import Steps
from trainer.files import INT8_READER, READER


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    pen_writers: int
    pen_per_digit: int
    digits: list[str]  # options of `generator digits`
    images: int  # to train on
    val: int
    test: int
    checked: int  # images on which export and quantize prove the files
    minutes: float  # of training, each model
    batch: int  # 0: by the device


SCALES = {
    "full": Scale(400, 4, [], 4_000_000, 5_000, 10_000, checked=2_000, minutes=1, batch=0),
    "tiny": Scale(
        20, 1, ["--max-per-class", "60"], 2_000, 64, 100, checked=32, minutes=0.1, batch=32
    ),
}
# MNIST and kensanata; custom_digits and the pen model's are the project's own.
LICENCES = "CC0 (kensanata), MIT (pen)"


class Way:
    """The way from digits to readers, its parts in order."""

    def __init__(self, steps: Steps, digits: Path, scale: Scale, out: Path) -> None:
        self.steps, self.digits, self.scale, self.out = steps, digits, scale, out
        self.work = steps.folder
        self.tests: list[str] = []  # the test sets that are ready

    def reference_test(self) -> None:
        """Numbers of MNIST's test digits, drawn by the reference recipe."""
        bank, out = self.work / "mnist.h5", self.work / "reference"
        source = ["--mnist", self.digits / "mnist", "--no-custom", *self.scale.digits]
        if not (self.digits / "mnist").is_dir():
            return
        if self.steps.run("mnist", ["generator", "digits", bank, *source], bank):
            recipe = ["--bank", bank, "--preset", "reference", "--seed", 1]
            sizes = ["--count", 0, "--val", 0, "--test", self.scale.test]
            command = ["generator", "build", out, *recipe, *sizes]
            if self.steps.run("reference", command, out / "manifest.json"):
                self.tests.append("reference")

    def tablet_test(self) -> None:
        """Numbers of digits that people drew on a tablet; nobody trains on them."""
        file, out = self.digits / "tablet" / "digits.jsonl", self.work / "tablet"
        options = ["--count", self.scale.test, "--seed", 1, "--name", "tablet"]
        if file.exists():
            command = ["generator", "strokes", file, out, *options, "--licence", "Chars74K"]
            if self.steps.run("tablet", command, out / "manifest.json"):
                self.tests.append("tablet")

    def training_set(self) -> bool:
        """The child recipe's numbers of all digits but those of the test sets."""
        pen, bank, out = self.work / "pen", self.work / "bank.h5", self.work / "child"
        hands = ["--writers", self.scale.pen_writers, "--per-digit", self.scale.pen_per_digit]
        # Another seed than that of custom_digits: other hands.
        if not self.steps.run("pen", ["generator", "pen", pen, *hands, "--seed", 2], pen / "9"):
            return False
        sources: list[object] = ["--folder", pen, "--val", 0.05, "--licence", LICENCES]
        if (self.digits / "kensanata").is_dir():
            sources += ["--folder", self.digits / "kensanata"]
        if (self.digits / "mnist").is_dir():
            sources += ["--mnist", self.digits / "mnist", "--test", 0]
        command = ["generator", "digits", bank, *sources, *self.scale.digits]
        if not self.steps.run("bank", command, bank):
            return False
        sizes = ["--count", self.scale.images, "--val", self.scale.val, "--test", self.scale.val]
        command = ["generator", "build", out, "--bank", bank, "--preset", "child", *sizes]
        if not self.steps.run("child", [*command, "--seed", 1], out / "manifest.json"):
            return False
        self.tests.append("child")
        return True

    def train(self, model: str, minutes: float, batch: int) -> bool:
        """Train until the minutes are over; goes on with a run that was cut off."""
        run = self.work / "runs" / model
        command: list[object] = ["trainer", "train", self.work / "child", "--model", model]
        command += ["--run", run, "--max-minutes", minutes, "--epochs", 1_000]
        command += ["--epoch-images", self.scale.images // 4, "--batch", batch]
        again = ("--resume",) if (run / "last.safetensors").exists() else ()
        return self.steps.run(f"train-{model}", command, run / "best.safetensors", again, now=True)

    def finish(self, model: str) -> None:
        """Export and quantize a trained model, and ship both forms, measured and with cards."""
        run, onnx, data = (
            self.work / "runs" / model,
            self.work / "onnx" / model,
            self.work / "child",
        )
        checked = ["--images", self.scale.checked]
        export = ["trainer", "export", run, onnx, "--data", data, *checked]
        best, reader, small_reader = run / "best.safetensors", onnx / READER, onnx / INT8_READER
        if not self.steps.run(f"export-{model}", export, reader, made_of=(best,)):
            return
        quantize = ["trainer", "quantize", onnx, data, *checked]
        small = self.steps.run(f"quantize-{model}", quantize, small_reader, made_of=(reader,))
        made_by = onnx / "commands.txt"
        made_by.write_text("\n".join(self._commands(model)) + "\n")
        ship: list[object] = ["trainer", "ship", onnx, self.out, "--commands", made_by]
        for test in sorted(self.tests):
            ship += ["--test", self.work / test]
        last = self.out / f"{model}-{'int8' if small else 'fp32'}"
        made_of = reader, small_reader
        self.steps.run(f"ship-{model}", ship, last / "README.md", made_of=made_of)

    def _commands(self, model: str) -> list[str]:
        """The commands that lead to a model's readers, in order."""
        way = [
            "pen",
            "bank",
            "child",
            *(f"{word}-{model}" for word in ("train", "export", "quantize")),
        ]
        known = {step.name: step.command.removeprefix("python -m ") for step in self.steps.all()}
        return [known[name] for name in way if name in known]


def main(
    out: Annotated[Path, typer.Argument(help="Folder for results and, under work, all else.")],
    digits: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="Holds mnist, kensanata, tablet/digits.jsonl."
        ),
    ],
    models: Annotated[str, typer.Option(help="In this order.")] = "nano optimized lightweight base",
    scale: Annotated[str, typer.Option(help="full, or tiny for a trial of the way.")] = "full",
    images: Annotated[int, typer.Option(help="To train on; 0: as the scale says.")] = 0,
    minutes: Annotated[
        str, typer.Option(help="Of training each model, or one for each; empty: by the scale.")
    ] = "",
    batch: Annotated[int, typer.Option(help="Images in a step; 0: by scale and device.")] = 0,
    limit: Annotated[float, typer.Option(help="End all after so many minutes; 0: never.")] = 0,
    commit: Annotated[str, typer.Option(help="Named in the results; empty: git's.")] = "",
) -> None:
    """Make the readers that ship, from single digits, and measure them."""
    if scale not in SCALES:
        raise typer.BadParameter(f"{scale} is none of {', '.join(SCALES)}", param_hint="--scale")
    size = SCALES[scale]
    size = dataclasses.replace(size, images=images or size.images)
    names = models.split()
    try:
        times = [float(word) for word in minutes.split()] or [size.minutes]
    except ValueError as error:
        raise typer.BadParameter(f"{minutes!r} are no numbers", param_hint="--minutes") from error
    times += times[-1:] * (len(names) - len(times))
    cores = os.cpu_count() or 1
    head = machine(commit)
    steps = Steps(
        out / "work",
        limit,
        beside=max(1, cores // 2),
        after=lambda steps: write_results(out, head, names, steps),
    )
    way = Way(steps, digits, size, out)
    with ThreadPoolExecutor() as beside:
        tests = [beside.submit(way.reference_test), beside.submit(way.tablet_test)]
        ready = way.training_set()
        for test in tests:
            test.result()
        finished = []
        for model, time in zip(names, times, strict=False):
            if ready and way.train(model, time, batch or size.batch or usual_batch()):
                finished.append(beside.submit(way.finish, model))
        for each in finished:
            each.result()
    print(f"written: {out / 'RESULTS.md'}")
    if failed := [step.name for step in steps.all() if step.fault]:
        sys.exit(f"failed: {', '.join(failed)}")


def usual_batch() -> int:
    """Images in a training step: on a GPU, enough to keep it busy."""
    return 1024 if torch.cuda.is_available() else 256


if __name__ == "__main__":
    typer.run(main)
