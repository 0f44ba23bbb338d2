"""A report as one HTML file: text, tables and pictures; nothing is loaded from elsewhere.

Light or dark as the reader's system is.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence

from PIL import Image

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid color-mix(in srgb, currentColor 40%, transparent); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
img { max-width: 100%; height: auto; }
code { overflow-wrap: anywhere; }
"""
_DIGITS = frozenset("0123456789")


def document(title: str, parts: Iterable[str]) -> str:
    """Return the whole file; `title` is plain text and its heading, `parts` are HTML."""
    text = html.escape(title)
    head = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{text}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>',
        f"<body><h1>{text}</h1>",
    ]
    return "\n".join([*head, *parts, "</body></html>\n"])


def heading(text: str) -> str:
    """Return the heading of a section."""
    return f"<h2>{html.escape(text)}</h2>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain texts; a column whose first cell is a number stands to the right."""
    rows = list(rows)
    numbers = [_is_number(cell) for cell in rows[0]] if rows else [False] * len(head)
    cells = [_row("th", head, numbers), *(_row("td", row, numbers) for row in rows)]
    return f"<table>{''.join(cells)}</table>"


def picture(image: Image.Image | bytes, alt: str) -> str:
    """Return an image, or the bytes of a PNG, as part of the file; `alt` says what it shows."""
    if isinstance(image, Image.Image):
        file = io.BytesIO()
        image.save(file, "PNG", optimize=True)
        image = file.getvalue()
    data = base64.b64encode(image).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'


def details(summary: str, inside: str) -> str:
    """Return HTML that is shown on a click on `summary`, plain text."""
    return f"<details><summary>{html.escape(summary)}</summary>{inside}</details>"


def _row(tag: str, cells: Sequence[str], numbers: list[bool]) -> str:
    filled = zip(cells, numbers, strict=True)
    right = ' class="n"'
    return f"<tr>{''.join(f'<{tag}{right * n}>{html.escape(c)}</{tag}>' for c, n in filled)}</tr>"


def _is_number(cell: str) -> bool:
    return cell[:1] in _DIGITS
