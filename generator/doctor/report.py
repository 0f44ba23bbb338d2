"""A folder's report: as text, as JSON, and as one HTML file with its pictures."""

import base64
import html
import io
import json

import cv2
import numpy as np
import numpy.typing as npt

from generator.doctor.examine import Report
from generator.doctor.finding import BAD, KINDS, Finding
from shards.drawing import read_grey
from shards.errors import UserError
from shards.preview import sheet

U8 = npt.NDArray[np.uint8]

_SHOWN = 240  # pictures of a kind on a sheet, at most
_NAMED = 3  # files of a kind in the text
_COLUMNS = 12
_SIDE = 56  # px of a picture on a sheet

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
img { max-width: 100%; }
code { overflow-wrap: anywhere; }
"""


def as_text(report: Report) -> str:
    """Tables for a terminal: digits, writers, and each kind of finding with its worst files."""
    by_kind = _by_kind(report)
    lines = [
        f"{report.folder}: {len(report.pictures):,} digits by {len(report.writers)} writers",
        "digit    " + "".join(f"{digit:>8}" for digit in range(10)),
        "pictures " + "".join(f"{count:>8,}" for count in report.digits),
        "",
    ]
    for kind, found in by_kind.items():
        lines.append(f"{len(found):>6} {kind:<12} {KINDS[kind]}")
        lines += [f"       {finding.path}: {finding.reason}" for finding in found[:_NAMED]]
    if not by_kind:
        lines.append("nothing is wrong")
    bad = len({finding.path for finding in report.findings if finding.kind in BAD})
    lines.append(f"{bad:,} files better left out, of {report.files:,}")
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """All findings, the file's path, digit, writer, kind, reason and score of each."""
    content = {
        "folder": str(report.folder),
        "pictures": len(report.pictures),
        "digits": report.digits,
        "writers": report.writers,
        "findings": [
            {
                "path": str(finding.path),
                "kind": finding.kind,
                "bad": finding.kind in BAD,
                "reason": finding.reason,
                "score": round(finding.score, 4),
            }
            for finding in report.findings
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def as_html(report: Report) -> str:
    """One file with a sheet of pictures for each kind; nothing is loaded from elsewhere."""
    title = html.escape(f"Digits in {report.folder}")
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>',
        f"<body><h1>{title}</h1>",
        f"<p>{len(report.pictures):,} digits by {len(report.writers)} writers.</p>",
        _table(["digit", *map(str, range(10))], [["pictures", *_numbers(report.digits)]]),
        "<h2>Findings</h2>",
    ]
    by_kind = _by_kind(report)
    rows = [[kind, f"{len(found):,}", KINDS[kind]] for kind, found in by_kind.items()]
    parts.append(_table(["kind", "files", "what it means"], rows) if rows else "<p>None.</p>")
    for kind, found in by_kind.items():
        parts += _section(kind, found)
    parts.append("<h2>Writers</h2>")
    most = sorted(report.writers.items(), key=lambda pair: (-pair[1], pair[0]))
    parts.append(_table(["writer", "digits"], [[name, f"{count:,}"] for name, count in most]))
    return "\n".join([*parts, "</body></html>\n"])


def _section(kind: str, found: list[Finding]) -> list[str]:
    listed = "".join(
        f"<li><code>{html.escape(str(f.path))}</code>: {html.escape(f.reason)}</li>" for f in found
    )
    return [
        f"<h2>{kind}</h2><p>{KINDS[kind][0].upper()}{KINDS[kind][1:]}.</p>",
        _sheet(found[:_SHOWN], kind),
        f"<details><summary>{len(found):,} files</summary><ol>{listed}</ol></details>",
    ]


def _sheet(found: list[Finding], kind: str) -> str:
    shown = [(picture, finding) for finding in found if (picture := _picture(finding)) is not None]
    if not shown:
        return ""
    captions = [f"{finding.path.parent.name}: {finding.score:.2f}" for _, finding in shown]
    page = sheet([picture for picture, _ in shown], captions, _COLUMNS)
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{len(shown)} pictures: {kind}" src="data:image/png;base64,{data}">'


def _picture(finding: Finding) -> U8 | None:
    """The file as it is, grey, in a square; None where there is nothing to show."""
    try:
        grey = np.asarray(read_grey(finding.path), np.float32)
    except UserError:
        return None
    scale = _SIDE / max(grey.shape)
    width, height = (max(1, round(side * scale)) for side in grey.shape[::-1])
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    square = np.full((_SIDE, _SIDE), np.median(small), np.uint8)
    square[:height, :width] = small
    return square


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = [_row("th", head), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(cells)}</table>"


def _row(tag: str, cells: list[str]) -> str:
    numbers = [' class="n"' if cell.replace(",", "").isdigit() else "" for cell in cells]
    filled = zip(numbers, cells, strict=True)
    return f"<tr>{''.join(f'<{tag}{n}>{html.escape(cell)}</{tag}>' for n, cell in filled)}</tr>"


def _numbers(counts: list[int]) -> list[str]:
    return [f"{count:,}" for count in counts]


def _by_kind(report: Report) -> dict[str, list[Finding]]:
    found = {kind: [f for f in report.findings if f.kind == kind] for kind in KINDS}
    return {kind: findings for kind, findings in found.items() if findings}
