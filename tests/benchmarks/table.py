"""The table of results: as Markdown for people, as JSON with the machine for comparisons."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("numpy", "opencv-python-headless", "pillow", "webdataset")


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
    """

    stage: str
    unit: str
    ours: float
    baseline: float | None
    peer: str
    n: str

    @property
    def ratio(self) -> float | None:
        """Ours by the baseline's; above 1 is better, for every unit in use is a rate."""
        return self.ours / self.baseline if self.baseline else None


def as_markdown(rows: Iterable[Row]) -> str:
    """One Markdown table."""
    lines = ["| stage | ours | baseline | ratio | n |", "| --- | ---: | ---: | ---: | --- |"]
    for row in rows:
        baseline = "-" if row.baseline is None else f"{row.baseline:,.0f} ({row.peer})"
        ratio = "-" if row.ratio is None else f"{row.ratio:.1f}"
        cells = (row.stage, f"{row.ours:,.0f} {row.unit}", baseline, ratio, row.n)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


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
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
