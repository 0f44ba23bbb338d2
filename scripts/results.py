"""What a run of `scripts.reproduce` leaves for people: the readers in folders, and RESULTS.md."""

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from scripts.steps import Step
from shards import __version__
from shards.files import replacing

TOOLS = ("numpy", "opencv-python-headless", "torch", "onnx", "onnxruntime")
PRECISIONS = {"fp32": "", "int8": ".int8"}  # and how the file names of the trainer show it


def keep(out: Path, model: str, precision: str) -> None:
    """Copy a reader's files to `<out>/<model>-<precision>/`, its evaluations in one file."""
    folder, onnx = out / f"{model}-{precision}", out / "work" / "onnx" / model
    folder.mkdir(exist_ok=True)
    mark = PRECISIONS[precision]
    for stem, suffix in (("reader", ".onnx"), ("logits", ".onnx"), ("reader", ".json")):
        shutil.copy2(onnx / f"{stem}{mark}{suffix}", folder / f"{stem}{suffix}")
    with replacing(folder / "evaluation.json") as file:
        file.write(json.dumps(evaluations(out, model, precision), indent=1).encode() + b"\n")


def evaluations(out: Path, model: str, precision: str) -> dict[str, Any]:
    """What `trainer evaluate` found, by test set."""
    start = f"{model}-{precision}-"
    folders = sorted((out / "work" / "evaluations").glob(f"{start}*"))
    files = {folder.name.removeprefix(start): folder / "evaluation.json" for folder in folders}
    return {test: json.loads(file.read_text()) for test, file in files.items() if file.exists()}


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
        f"- GPU: {gpu}; CPU: {_processor()}, {os.cpu_count()} cores",
        f"- {platform.platform()}, Python {platform.python_version()}, {tools}",
    ]


def write_results(out: Path, head: list[str], models: list[str], steps: list[Step]) -> None:
    """Write all that is known so far as `<out>/RESULTS.md`."""
    parts = [
        ["# Results", "", *head],
        ["## Numbers read exactly right", "", *_accuracy(out, models)],
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
        found = [evaluations(out, model, precision) for precision in PRECISIONS]
        for test in sorted(set().union(*found)):
            rates = [each[test]["exact"] if test in each else None for each in found]
            n = next(rate["count"] for rate in rates if rate)
            lines.append(f"| {model} | {test} | {n:,} | {' | '.join(map(_rate, rates))} |")
    return lines


def _rate(rate: dict[str, float] | None) -> str:
    return f"{rate['share']:.4f} [{rate['low']:.4f}, {rate['high']:.4f}]" if rate else "-"


def _size(out: Path, models: list[str], steps: list[Step]) -> list[str]:
    """Bytes of the whole reader.onnx; milliseconds as `trainer compare` found them."""
    seconds = {step.name: step.seconds for step in steps}
    lines = [
        "| model | parameters | fp32 KB | int8 KB | fp32 ms | int8 ms | trained for |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in models:
        files = [out / f"{model}-{precision}" / "reader.onnx" for precision in PRECISIONS]
        sizes = [f"{file.stat().st_size / 1e3:,.1f}" if file.exists() else "-" for file in files]
        parameters, *times = _compared(out / "work" / "onnx" / f"{model}.md")
        cells = [model, parameters, *sizes, *times]
        trained = seconds.get(f"train-{model}")
        lines.append(f"| {' | '.join(cells)} | {f'{trained:.0f} s' if trained else '-'} |")
    return lines


def _compared(table: Path) -> tuple[str, str, str]:
    """Parameters and milliseconds, fp32 and int8, from the table of `trainer compare`."""
    lines = table.read_text().splitlines() if table.exists() else []
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("|")]
    cells = dict(zip(rows[0], rows[-1], strict=False)) if rows else {}
    parameters, fp32, int8 = (cells.get(name, "-") for name in ("parameters", "fp32 ms", "int8 ms"))
    return parameters, fp32, int8


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


def _processor() -> str:
    """The processor's name, where Linux tells it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
