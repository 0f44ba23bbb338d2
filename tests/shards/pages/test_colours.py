"""Text on the pages can be read by day and by night: WCAG 2.2, contrast of at least 4.5."""

import re

import pytest

from shards.pages.app import SHARED

CSS = (SHARED / "page.css").read_text()
DAY, NIGHT = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root {(.*?)}", CSS, re.DOTALL)
)
TEXTS = [
    *[(text, ground) for text in ("text", "quiet", "bad") for ground in ("ground", "paper")],
    *[("accent", "paper"), ("accent", "soft"), ("on-accent", "accent"), ("unsure", "paper")],
    *[("paper", verdict) for verdict in ("good", "bad", "unsure")],
    ("ink", "paper"),
]


def luminance(colour: str) -> float:
    levels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [DAY, NIGHT], ids=["day", "night"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_contrast(colours: dict[str, str], text: str, ground: str) -> None:
    low, high = sorted(luminance(colours[name]) for name in (text, ground))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_black_and_white_are_as_far_apart_as_can_be() -> None:
    assert (luminance("#ffffff") + 0.05) / (luminance("#000000") + 0.05) == pytest.approx(21)
