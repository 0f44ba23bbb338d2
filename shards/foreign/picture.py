"""Pictures of strangers: the bytes of a PNG or JPEG to pixels, bounded and checked."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from shards.canvas import FAINT, HEIGHT, WIDTH, crop_ink, extents, fit
from shards.errors import UserError

MAX_PIXELS = 1 << 24
_EIGHT_BITS = ("1", "L", "P", "RGB")  # or fewer
_FORMATS = ("PNG", "JPEG")  # no other decoder of Pillow's is ever called


def decode(data: bytes) -> Image.Image:
    """Decode a still picture of at most MAX_PIXELS, upright; UserError for anything else.

    Of a PNG the CRC-32 of each chunk is checked first, which Pillow does not do when it decodes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(data)
    except UserError:
        raise
    except Exception as error:  # of many classes with no other base, for damaged and crafted files
        raise UserError(f"the picture cannot be decoded ({error})") from error


def to_canvas(image: Image.Image) -> tuple[np.ndarray, bool]:
    """Bring a picture onto the canvas, uint8 (32, 128); also tells whether it is as it was.

    That is a grey picture of 32x128 px and 8 bits on black; any other goes through `fit`.
    UserError where nothing is drawn.
    """
    plain = image.mode in _EIGHT_BITS and not image.has_transparency_data
    if image.size == (WIDTH, HEIGHT) and plain:
        pixels = np.asarray(image.convert("RGB"))
        grey = pixels[..., 0]
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        if (pixels == grey[..., None]).all() and np.median(border) < FAINT:
            crop_ink(grey)  # refuses blank ones
            return grey.copy(), True
    return fit(image), False


def ink_box(canvas: np.ndarray) -> tuple[int, int, int, int]:
    """Return x, y, width and height, in px, of all that is drawn on a canvas."""
    rows, columns = extents(canvas >= FAINT)
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def _decode(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        _check(image)
        if image.format == "PNG":
            image.verify()
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        image.load()
        return ImageOps.exif_transpose(image)


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UserError(f"the picture has {width}x{height} px, over {MAX_PIXELS:,}: shrink it")
    if getattr(image, "n_frames", 1) > 1:
        raise UserError("the picture is animated: save one image of it")
