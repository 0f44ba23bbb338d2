"""One HTML file: what goes into it comes out as text, and nothing is fetched."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from shards.document import details, document, heading, paragraph, picture, table

HOSTILE = "<script>alert(\"1\")</script> & 'more'"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_any_text_stays_text() -> None:
    parts = [
        heading(HOSTILE),
        paragraph(HOSTILE),
        table([HOSTILE], [[HOSTILE]]),
        details(HOSTILE, ""),
    ]
    page = Page(document(HOSTILE, parts))
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) == 7  # in the title and the first heading, too


def test_a_picture_is_in_the_file() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    page = Page(document("pictures", [picture(Image.fromarray(pixels), HOSTILE)]))
    (link,) = page.links
    start = "data:image/png;base64,"
    assert link.startswith(start)
    found = Image.open(io.BytesIO(base64.b64decode(link.removeprefix(start))))
    assert (np.asarray(found) == pixels).all()


def test_numbers_stand_to_the_right() -> None:
    rows = re.findall(r"<tr>.*?</tr>", table(["name", "n"], [["a", "1,234"], ["b", "-"]]))
    assert [row.count(' class="n"') for row in rows] == [1, 1, 1]
    assert table(["name", "n"], []).count("<tr>") == 1
