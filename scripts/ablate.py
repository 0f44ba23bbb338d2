"""What each ingredient of the child recipe is worth: nano is trained without it, and tested.

python -m scripts.ablate OUT DIGITS

Every run sees as many images, in the same steps, from the same first weights. DIGITS is as in
scripts.reproduce. OUT gets ABLATION.md, as it comes; what was cut off goes on with the same
command.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from scripts.reproduce import LICENCES
from scripts.results import machine
from scripts.steps import Step, Steps
from shards.files import replacing
from trainer.metrics import Rate

# Settings that take an ingredient out; None: the bank holds MNIST alone.
INGREDIENTS: dict[str, list[str] | None] = {
    "the child recipe": [],
    "without one writer for a number": ["one_writer=0"],
    "without re-inking": ["reink=0"],
    "without numbers by the pen model": ["written=0"],
    "without uneven ink and specks": ["uneven=0", "specked=0"],
    "without slant, lean, rise and bends": [
        f"{name}=0" for name in ("slant", "lean", "rise", "elastic", "tremor", "baseline")
    ],
    "without numbers placed anywhere": ["anywhere=0"],
    "without the reference recipe's share": ["reference=0"],
    "digits of MNIST alone": None,
}
TESTS = ("tablet", "reference")


def main(
    out: Annotated[Path, typer.Argument(help="Folder for ABLATION.md and, under work, all else.")],
    digits: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="Holds mnist, kensanata, tablet/digits.jsonl."
        ),
    ],
    images: Annotated[int, typer.Option(help="Fresh images of each run.")] = 300_000,
    test: Annotated[int, typer.Option(help="Images of each test set.")] = 4_000,
    limit: Annotated[float, typer.Option(help="End all after so many minutes; 0: never.")] = 0,
) -> None:
    """Train nano without one ingredient after the other, and write down what it reads."""
    head = machine("")
    steps = Steps(out / "work", limit, beside=1, after=lambda steps: write(out, head, steps))
    work = steps.folder
    banks = {name: work / f"{name}.h5" for name in ("all", "mnist")}
    mnist: list[object] = ["--mnist", digits / "mnist"]
    folder = ["--folder", digits / "kensanata", "--licence", LICENCES]
    steps.run("bank", ["generator", "digits", banks["all"], *mnist, *folder], banks["all"])
    only = ["generator", "digits", banks["mnist"], *mnist, "--no-custom"]
    steps.run("mnist", only, banks["mnist"])
    build: list[object] = ["generator", "build", work / "reference", "--bank", banks["mnist"]]
    build += ["--preset", "reference", "--count", 0, "--val", 0, "--test", test]
    steps.run("reference", build, work / "reference" / "manifest.json")
    strokes = ["generator", "strokes", digits / "tablet" / "digits.jsonl", work / "tablet"]
    options = ["--count", test, "--licence", "Chars74K"]
    steps.run("tablet", [*strokes, *options], work / "tablet" / "manifest.json")
    for number, settings in enumerate(INGREDIENTS.values()):
        data, run = work / f"data-{number}", work / f"run-{number}"
        bank = banks["mnist" if settings is None else "all"]
        build = ["generator", "build", data, "--bank", bank, "--count", images]
        build += [word for setting in settings or [] for word in ("--set", setting)]
        steps.run(f"build-{number}", build, data / "manifest.json")
        train: list[object] = ["trainer", "train", data, "--run", run, "--threads", 1]
        train += ["--epochs", 3, "--epoch-images", images // 3]
        again = ("--resume",) if (run / "last.safetensors").exists() else ()
        if not steps.run(f"train-{number}", train, run / "best.safetensors", again):
            continue
        for name in TESTS:
            result = run / name
            command = ["trainer", "evaluate", run, work / name, "--out", result]
            steps.run(f"{name}-{number}", command, result / "evaluation.json")


def write(out: Path, head: list[str], steps: list[Step]) -> None:
    """Write ABLATION.md: a row for each run that has been tested."""
    lines = [*head, "", f"| trained on | {' | '.join(TESTS)} |", "| --- | --- | --- |"]
    for number, name in enumerate(INGREDIENTS):
        files = [out / f"work/run-{number}/{test}/evaluation.json" for test in TESTS]
        cells = [_exact(file) if file.exists() else "" for file in files]
        if any(cells):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [f"\n{step.name} failed: {step.fault}" for step in steps if step.fault]
    with replacing(out / "ABLATION.md") as file:
        file.write(("\n".join(lines) + "\n").encode())


def _exact(file: Path) -> str:
    return str(Rate(**json.loads(file.read_text())["exact"]))


if __name__ == "__main__":
    typer.run(main)
