"""A folder's report: as text, as JSON, and as one HTML file with its pictures."""

import html
import json

import cv2
import numpy as np
import numpy.typing as npt

from generator.doctor.examine import Report
from generator.doctor.finding import BAD, KINDS, Finding
from shards.document import details, document, heading, paragraph, picture, table
from shards.drawing import read_grey
from shards.errors import UserError
from shards.preview import sheet

U8 = npt.NDArray[np.uint8]

_SHOWN = 240  # pictures of a kind on a sheet, at most
_NAMED = 3  # files of a kind in the text
_COLUMNS = 12
_SIDE = 56  # px of a picture on a sheet


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
    """All findings, each with the file's path, kind, reason and score, and whether it is bad."""
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
    by_kind = _by_kind(report)
    rows = [[kind, f"{len(found):,}", KINDS[kind]] for kind, found in by_kind.items()]
    most = sorted(report.writers.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = [
        paragraph(f"{len(report.pictures):,} digits by {len(report.writers)} writers."),
        table(["digit", *map(str, range(10))], [["pictures", *_numbers(report.digits)]]),
        heading("Findings"),
        table(["kind", "files", "what it means"], rows) if rows else paragraph("None."),
        *(part for kind, found in by_kind.items() for part in _section(kind, found)),
        heading("Writers"),
        table(["writer", "digits"], [[name, f"{count:,}"] for name, count in most]),
    ]
    return document(f"Digits in {report.folder}", parts)


def _section(kind: str, found: list[Finding]) -> list[str]:
    listed = "".join(
        f"<li><code>{html.escape(str(f.path))}</code>: {html.escape(f.reason)}</li>" for f in found
    )
    return [
        heading(kind),
        paragraph(f"{KINDS[kind][0].upper()}{KINDS[kind][1:]}."),
        _sheet(found[:_SHOWN], kind),
        details(f"{len(found):,} files", f"<ol>{listed}</ol>"),
    ]


def _sheet(found: list[Finding], kind: str) -> str:
    shown = [(image, finding) for finding in found if (image := _picture(finding)) is not None]
    if not shown:
        return ""
    captions = [f"{finding.path.parent.name}: {finding.score:.2f}" for _, finding in shown]
    page = sheet([image for image, _ in shown], captions, _COLUMNS)
    return picture(page, f"{len(shown)} pictures: {kind}")


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


def _numbers(counts: list[int]) -> list[str]:
    return [f"{count:,}" for count in counts]


def _by_kind(report: Report) -> dict[str, list[Finding]]:
    found = {kind: [f for f in report.findings if f.kind == kind] for kind in KINDS}
    return {kind: findings for kind, findings in found.items() if findings}
