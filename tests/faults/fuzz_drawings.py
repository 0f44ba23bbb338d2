"""What `fuzz` feeds to `fit`: files of every kind that is opened."""

import io
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from shards.canvas import fit
from tests.faults.damage import Parser, damaged
from tests.faults.tars import drawing

MODES = {
    "GIF": ("L", "P", "1"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F"),
    "BMP": ("1", "L", "P", "RGB"),
    "WEBP": ("RGB", "RGBA"),
    "JPEG2000": ("L", "RGBA"),
    "PPM": ("1", "L", "RGB"),
    "ICO": ("RGBA",),
    "PNG": ("L", "RGBA", "I;16"),
    "JPEG": ("L", "CMYK"),
}


def drawings(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    grey = Image.fromarray(drawing(20, 60))
    exif = Image.Exif()
    exif[0x112] = 6
    bases = []
    for kind, modes in MODES.items():
        for mode in modes:
            file = io.BytesIO()
            image = grey.convert("RGB").convert(mode) if mode == "LAB" else grey.convert(mode)
            image.save(file, kind, **({"exif": exif} if kind in ("TIFF", "WEBP", "JPEG") else {}))
            bases.append(file.getvalue())
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "group4", "jpeg", "packbits"):
        file = io.BytesIO()
        mode = "1" if compression == "group4" else "L"
        grey.convert(mode).save(file, "TIFF", compression=compression)
        bases.append(file.getvalue())
    animated = io.BytesIO()
    grey.save(animated, "GIF", save_all=True, append_images=[Image.new("L", grey.size)])
    path = folder / "drawing"

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        canvas = fit(path)
        assert canvas.shape == (32, 128)
        assert canvas.dtype == np.uint8

    return parse, damaged(*bases, animated.getvalue())
