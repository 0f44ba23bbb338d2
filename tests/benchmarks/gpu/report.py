"""What a stage has found so far, kept on disk after each finding, and all stages in one table."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shards.files import replacing
from tests.benchmarks.table import Row, as_json, as_markdown


@dataclass
class Report:
    """Rows of the table, and texts by their headings."""

    path: Path
    rows: list[Row] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Keep a row."""
        self.rows.append(row)
        self._keep()

    def say(self, heading: str, text: str) -> None:
        """Keep a text, in place of one of the same heading."""
        self.texts[heading] = text
        self._keep()

    def _keep(self) -> None:
        content = {"rows": [asdict(row) for row in self.rows], "texts": self.texts}
        with replacing(self.path) as file:
            file.write(json.dumps(content).encode())

    @classmethod
    def read(cls, path: Path) -> "Report":
        """What is kept at `path`; nothing if nothing is."""
        if not path.exists():
            return cls(path)
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(path, [Row(**row) for row in content["rows"]], content["texts"])


def write(out: Path, heading: str, reports: list[Report], states: dict[str, str]) -> None:
    """Write gpu.md and gpu.json into `out`; `states` says how each stage went."""
    rows = [row for report in reports for row in report.rows]
    texts = {head: text for report in reports for head, text in report.texts.items()}
    went = "\n".join(f"- {stage}: {state}" for stage, state in states.items())
    parts = [f"# {heading}", as_markdown(rows), went]
    parts += [f"## {head}\n\n{text}" for head, text in texts.items()]
    content: dict[str, Any] = json.loads(as_json(rows))
    content |= {"device": heading, "stages": states, "texts": texts}
    for name, text in (("gpu.md", "\n\n".join(parts)), ("gpu.json", json.dumps(content, indent=1))):
        with replacing(out / name) as file:
            file.write(text.encode() + b"\n")
