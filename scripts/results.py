"""What a run of `scripts.reproduce` leaves for people: the readers in folders, and RESULTS.md."""

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from scripts.steps import Step
from shards import __version__
from shards.files import replacing
from trainer.files import CARD
from trainer.metrics import Rate
from trainer.ship import EVALUATION, processor

TOOLS = ("numpy", "opencv-python-headless", "torch", "onnx", "onnxruntime")
PRECISIONS = ("fp32", "int8")


def machine(commit: str) -> list[str]:
    """Lines on what the results were made with and on; `commit` is git's unless it is given."""
    if not commit:
        git = ["git", "describe", "--always", "--dirty"]
        try:
            commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            commit = "unknown"
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    tools = ", ".join(f"{name} {version(name)}" for name in TOOLS)
    return [
        f"- digit-readers {__version__}, commit {commit}",
        f"- GPU: {gpu}; CPU: {processor()}, {os.cpu_count()} cores",
        f"- {platform.platform()}, Python {platform.python_version()}, {tools}",
    ]


def write_results(out: Path, head: list[str], models: list[str], steps: list[Step]) -> None:
    """Write all that is known so far as `<out>/RESULTS.md`."""
    parts = [
        ["# Results", "", *head],
        ["## Numbers read exactly right", "", *_accuracy(out, models)],
        ["## Confidence", "", *_confidence(out, models)],
        ["## Size and speed", "", *_size(out, models, steps)],
        ["## Data", "", *_data(out)],
        ["## Every command, with its wall time", "", *_commands(steps)],
    ]
    with replacing(out / "RESULTS.md") as file:
        file.write("\n".join("\n".join([*part, ""]) for part in parts).encode())


def _accuracy(out: Path, models: list[str]) -> list[str]:
    lines = [
        "| model | test set | n | fp32 [95 %] | int8 [95 %] |",
        "| --- | --- | ---: | --- | --- |",
    ]
    for model in models:
        found = [_tests(out, model, precision) for precision in PRECISIONS]
        for test in found[0]:
            rates = [str(Rate(**each[test]["exact"])) if test in each else "-" for each in found]
            n = found[0][test]["exact"]["count"]
            lines.append(f"| {model} | {test} | {n:,} | {' | '.join(rates)} |")
    return lines


def _confidence(out: Path, models: list[str]) -> list[str]:
    lines = [
        "| reader | test set | calibration error | exact of the surest 95 % [95 %] |",
        "| --- | --- | ---: | --- |",
    ]
    for model in models:
        for precision in PRECISIONS:
            for test, evaluation in _tests(out, model, precision).items():
                found = evaluation["calibration"]
                cells = [f"{model}-{precision}", test, f"{found['error']:.4f}"]
                lines.append(f"| {' | '.join(cells)} | {Rate(**found['covered'])} |")
    return lines


def _json(out: Path, model: str, precision: str, name: str) -> dict[str, Any]:
    """A file of a shipped reader; {} while there is none."""
    file = out / f"{model}-{precision}" / name
    return json.loads(file.read_text()) if file.exists() else {}


def _tests(out: Path, model: str, precision: str) -> dict[str, Any]:
    """What `trainer ship` found, by test set."""
    tests: dict[str, Any] = _json(out, model, precision, EVALUATION).get("tests", {})
    return tests


def _size(out: Path, models: list[str], steps: list[Step]) -> list[str]:
    """Bytes of the whole reader.onnx; milliseconds as `trainer ship` found them."""
    seconds = {step.name: step.seconds for step in steps}
    lines = [
        "| model | parameters | fp32 KB | int8 KB | fp32 ms | int8 ms | trained for |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in models:
        found = [_json(out, model, precision, EVALUATION) for precision in PRECISIONS]
        sizes = [f"{each['bytes'] / 1e3:,.1f}" if each else "-" for each in found]
        times = [f"{each['milliseconds']:.2f}" if each else "-" for each in found]
        parameters = int(_json(out, model, "fp32", CARD).get("parameters", 0))
        cells = [model, f"{parameters:,}" if parameters else "-", *sizes, *times]
        trained = seconds.get(f"train-{model}")
        lines.append(f"| {' | '.join(cells)} | {f'{trained:.0f} s' if trained else '-'} |")
    return lines


def _data(out: Path) -> list[str]:
    lines = ["| data set | images | fingerprint |", "| --- | --- | --- |"]
    for file in sorted((out / "work").glob("*/manifest.json")):
        manifest = json.loads(file.read_text())
        images = ", ".join(f"{count:,} {split}" for split, count in manifest["splits"].items())
        lines.append(f"| {manifest['name']} | {images} | `{manifest['fingerprint'][:16]}` |")
    return lines


def _commands(steps: list[Step]) -> list[str]:
    faults = [f"- **{step.name}** failed: {step.fault}" for step in steps if step.fault]
    lines = [f"{step.seconds:7.1f} s  {step.command}" for step in steps]
    return [*faults, *([""] if faults else []), "```", *lines, "```"]
