"""Strangers' pictures on the canvas."""

import io

import numpy as np
from PIL import Image

from shards.canvas import fit
from shards.foreign.picture import decode, to_canvas

CANVAS = np.zeros((32, 128), np.uint8)
CANVAS[2:30, 60:110] = np.arange(40, 240, 4, dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_canvas_of_8_bits_is_taken_as_it_is() -> None:
    canvas, as_it_was = to_canvas(decode(png(CANVAS)))
    assert as_it_was
    np.testing.assert_array_equal(canvas, CANVAS)


def test_a_canvas_of_16_bits_keeps_its_greys() -> None:
    deep = CANVAS.astype(np.uint16) * 257
    canvas, as_it_was = to_canvas(decode(png(deep)))
    assert not as_it_was
    np.testing.assert_array_equal(canvas, fit(deep))
    assert len(np.unique(canvas)) > 20
