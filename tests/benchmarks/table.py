"""The table of results: as Markdown for people, as JSON with the machine for comparisons."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "pillow",
    "torch",
    "onnxruntime",
    "webdataset",
    "datasets",
    "mosaicml-streaming",
    "litdata",
    "albumentations",
    "torchvision",
)
ABSENT = "not installed"
TIMES = ("s", "ms", "us")  # units in which less is better


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        stage: What is measured.
        unit: Of both values.
        ours: Ours.
        baseline: The peer's on the same work in the same run; None where there is no peer.
        peer: What the baseline is.
        n: How many items each value rests on.
        goal: What was set out to reach.
    """

    stage: str
    unit: str
    ours: float
    baseline: float | None
    peer: str
    n: str
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better ours is: a rate by the baseline's, or the baseline's time by it."""
        if not self.baseline:
            return None
        return self.baseline / self.ours if self.unit in TIMES else self.ours / self.baseline


def as_markdown(rows: Iterable[Row]) -> str:
    """One Markdown table."""
    lines = [
        "| stage | ours | baseline | ratio | goal | n |",
        "| --- | ---: | ---: | ---: | --- | --- |",
    ]
    for row in rows:
        if row.baseline is None:
            baseline = f"- ({row.peer})" if row.peer else "-"
        else:
            baseline = f"{_number(row.baseline)} ({row.peer})"
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        cells = (row.stage, f"{_number(row.ours)} {row.unit}", baseline, ratio, row.goal, row.n)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def heading() -> str:
    """One line: the machine and how busy it is, versions, commit."""
    setting = _setting()
    machine, versions = setting["machine"], setting["versions"]
    load = f"load {machine['load'][0]:.1f} of {machine['cores']} cores"
    found = [f"{name} {text}" for name, text in versions.items() if text != ABSENT]
    commit = f"commit {setting['commit'][:9]}{' and changes' if setting['changed'] else ''}"
    return f"{machine['processor']}, {load}; {', '.join(found)}; {commit}"


def as_json(rows: Iterable[Row]) -> str:
    """The rows with their ratios, and the machine, versions and commit they were measured on."""
    values = [asdict(row) | {"ratio": row.ratio} for row in rows]
    return json.dumps(_setting() | {"rows": values}, indent=1) + "\n"


def _setting() -> dict[str, Any]:
    return {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "load": list(os.getloadavg()),
            "system": platform.platform(),
        },
        "versions": {"python": platform.python_version()} | _versions(),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def _versions() -> dict[str, str]:
    installed = {d.metadata["Name"].lower(): d.version for d in distributions()}
    return {name: installed.get(name, ABSENT) for name in PACKAGES}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    """What git says of this repository; nothing in a copy without its history, or without git."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
