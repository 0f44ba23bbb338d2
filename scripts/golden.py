"""Golden drawings: strokes and bitmaps with what `fit` makes of them, for every language.

python -m scripts.golden tests/golden.json

Each has a name, width, height, channels (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA), its pixels and
its canvas of 32 x 128 px: bytes, row by row, as base64 of zlib. Those of strokes have these, too:
lists of x, y, x, y in px, and the width of the pen, inked as `ink` says.
"""

import base64
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from generator.pen import draw_style, write_digit
from shards.canvas import fit
from shards.files import replacing

Strokes = list[list[float]]


def ink(strokes: Strokes, pen: float, width: int, height: int) -> np.ndarray:
    """White ink on black, uint8 (height, width), of a round pen `pen` px wide.

    A pixel is inked by half the pen plus half a pixel less the distance of its centre from the
    nearest stroke, from 0 to 1. A stroke of one point is a dot.
    """
    y, x = np.mgrid[:height, :width] + 0.5
    nearest = np.full((height, width), np.inf)
    for stroke in strokes:
        points = np.array(stroke).reshape(-1, 2)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[-1]], strict=True):
            dx, dy = bx - ax, by - ay
            along = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9)
            along = along.clip(0, 1)
            nearest = np.minimum(nearest, np.hypot(ax + along * dx - x, ay + along * dy - y))
    cover = (pen / 2 + 0.5 - nearest).clip(0, 1)
    return np.floor(cover * 255 + 0.5).astype(np.uint8)


def write(label: str, size: float, seed: int) -> Strokes:
    """A number by one model hand, its digits `size` px high, with a margin of 12 px."""
    rng = np.random.default_rng(seed)
    style, left, strokes = draw_style(rng), 12.0, []
    for digit in label:
        lines = write_digit(int(digit), style, rng)
        strokes += [(line[::3] * size + (left, 12)).round(1).ravel().tolist() for line in lines]
        left += size * (max(line[:, 0].max() for line in lines) + 0.18)
    return strokes


def written() -> Iterator[tuple[str, Strokes, float, int, int]]:
    """Strokes: name, strokes, pen, width, height."""
    yield "pen 407", write("407", 120, 1), 9, 330, 150
    yield "pen 0, a hair", write("0", 60, 2), 1.5, 90, 90
    yield "pen 31285", write("31285", 70, 3), 12, 330, 100
    yield "one dot", [[30, 40]], 8, 60, 60
    yield "a finger's dash", [[40, 120, 250, 131]], 40, 300, 300


def bitmaps() -> Iterator[tuple[str, np.ndarray]]:
    """Bitmaps: name, uint8 (height, width) or (height, width, channels)."""
    rng = np.random.default_rng(7)
    number = ink(write("69", 70, 4), 7, 130, 100)
    strength = number[..., None] / 255
    yield "dark on light", 235 - number // 4 * 3
    yield "faint", (100 + strength[..., 0] * 37).astype(np.uint8)
    yield "darker and lighter than the ground", np.where(number > 127, 20, 90 + number // 2)
    slope = np.add.outer(np.linspace(0, 30, 100), np.linspace(0, 45, 130))
    paper = 150 + slope + rng.integers(-7, 8, slope.shape)
    yield "grey paper, slope and grain", (paper * (1 - 0.8 * strength[..., 0])).astype(np.uint8)
    yield "a steep slope is ink", np.repeat(np.linspace(0, 255, 40)[None], 20, 0).astype(np.uint8)
    blue, cream = np.array([40, 60, 160]), np.array([250, 240, 215])
    yield "blue on cream", np.rint(cream + (blue - cream) * strength).astype(np.uint8)
    opaque = np.full((100, 130, 1), 255)
    yield "RGBA, opaque", np.concatenate([255 - 255 * strength.repeat(3, 2), opaque], 2)
    yield "alpha alone, black", np.dstack([np.zeros((100, 130, 3)), number])
    yield "alpha alone, white", np.dstack([np.full((100, 130), 255), number])
    sticker = np.zeros((140, 170, 4))
    sticker[20:120, 20:150] = np.concatenate([255 - 200 * strength.repeat(3, 2), opaque], 2)
    yield "a sticker on nothing", sticker
    yield "its own canvas", fit(number)
    yield "one pixel", np.pad([[255]], 4)
    yield "2 x 3 px", np.array([[0, 0, 0], [0, 200, 90]])
    yield "a single row", np.array([[10, 10, 10, 10, 200, 90, 10, 10, 10]])
    yield "tall", np.pad(np.full((280, 3), 255), 10)
    yield "wide", np.pad(np.full((2, 400), 255), 6)
    seven = np.zeros((60, 45))
    seven[:5], seven[:, 30:36] = 255, 190
    yield "ink along a side", seven
    blocks = rng.integers(0, 256, (7, 11)) * (rng.uniform(size=(7, 11)) < 0.6)
    yield "huge", np.pad(np.kron(blocks, np.ones((80, 75))), 40)


def golden() -> list[dict[str, Any]]:
    """All golden drawings, ready for JSON."""
    found = []
    for name, strokes, pen, width, height in written():
        pixels = ink(strokes, pen, width, height)
        found.append(entry(name, pixels) | {"strokes": strokes, "pen": pen})
    return found + [entry(name, pixels.astype(np.uint8)) for name, pixels in bitmaps()]


def entry(name: str, pixels: np.ndarray) -> dict[str, Any]:
    """One drawing, uint8 (height, width) or (height, width, channels), and its canvas."""
    height, width, channels = np.atleast_3d(pixels).shape
    return {
        "name": name,
        "width": width,
        "height": height,
        "channels": channels,
        "pixels": pack(pixels.tobytes()),
        "canvas": pack(fit(pixels).tobytes()),
    }


def pack(raw: bytes) -> str:
    """Bytes as base64 of zlib."""
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def unpack(text: str) -> np.ndarray:
    """What was packed, uint8 (n,)."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(each) for each in golden())
    with replacing(Path(sys.argv[1])) as file:
        file.write(f"[\n{lines}\n]\n".encode())
