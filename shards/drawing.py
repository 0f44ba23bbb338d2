"""Whatever a person calls a drawing, as one grey picture."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shards.errors import UserError

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
MAX_PIXELS = 100_000_000  # of a file; takes up to 2 GB and some seconds
_FORMATS = frozenset(
    ("PNG", "JPEG", "MPO", "GIF", "TIFF", "BMP", "DIB", "WEBP", "AVIF", "JPEG2000", "PPM", "ICO")
)
_ROWS = 256  # made grey at once
_OVER = 64  # of 255
_UNIFORM = 32  # of 255: a fill that varies less is one colour


def read_grey(drawing: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Return `drawing` as grey, uint8 or float32 (height, width), 0..255.

    On a transparent ground one colour of ink is read from its alpha alone, so that black ink and
    white ink come out alike; any other picture with alpha is laid on white. UserError where it is
    no picture (see `shards.canvas.fit` for what is one), or a file of over 100,000,000 px.
    """
    if isinstance(drawing, (str, Path)):
        pixels = _open(Path(drawing))
    elif isinstance(drawing, Image.Image):
        pixels = _from_pillow(drawing)
    else:
        pixels = _from_array(drawing)
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2]
    colour = pixels[..., : channels - (channels % 2 == 0)]
    grey = _luma(colour) if channels > 2 else colour[..., 0]
    return _without_alpha(grey, pixels[..., -1]) if channels % 2 == 0 else grey


def _luma(colour: np.ndarray) -> np.ndarray:
    grey = np.empty(colour.shape[:2], np.float32)
    for start in range(0, len(colour), _ROWS):
        np.matmul(colour[start : start + _ROWS], _LUMA, out=grey[start : start + _ROWS])
    return grey


def _without_alpha(grey: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    opaque = grey[alpha >= 128]
    if np.median(border) < 128 and (opaque.size == 0 or np.ptp(opaque) < _UNIFORM):
        return alpha
    return np.asarray(255 + (grey - np.float32(255)) * (alpha / np.float32(255)), dtype=np.float32)


def _from_array(array: np.ndarray) -> np.ndarray:
    if not isinstance(array, np.ndarray):
        raise UserError(
            f"a {type(array).__name__} is no picture: give the path of one, a Pillow image or an "
            "array"
        )
    if array.ndim not in (2, 3) or 0 in array.shape or array.shape[2:] > (4,):
        raise UserError(
            f"a drawing of shape {array.shape} is no picture: "
            "it must be (height, width) or (height, width, 1 to 4)"
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool:
        return array * np.uint8(255)
    if array.dtype == np.uint16:
        return array.astype(np.float32) / 257
    if array.dtype.kind != "f":
        raise UserError(f"a drawing of {array.dtype} is not understood: convert it to uint8")
    low, high = array.min(), array.max()
    if not 0 <= low <= high <= 1:  # also false for NaN
        raise UserError(
            f"a drawing of floats must lie in 0..1, this one in {low:g}..{high:g}: scale it"
        )
    return array.astype(np.float32) * 255


def _open(path: Path) -> np.ndarray:
    try:
        # A file, not its name: Pillow 13 maps a raw TIFF of that name with its sides exchanged.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is raised
            with Image.open(file) as image:
                _check(image)
                return _from_pillow(image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UserError(f"{path} is no image file: check the path") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: the picture has over {MAX_PIXELS:,} px: shrink it") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path} cannot be read as an image: save it anew, as a PNG") from error
    except Exception as error:  # as of `_from_pillow`
        raise UserError(f"{path} cannot be read as an image ({error}): save it anew") from error


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UserError(f"the picture has {width}x{height} px, over {MAX_PIXELS:,}: shrink it")
    if image.format not in _FORMATS:  # Pillow hands EPS to another program
        raise UserError(f"the picture is of the kind {image.format}: save it as a PNG")


def _from_pillow(image: Image.Image) -> np.ndarray:
    try:
        image = ImageOps.exif_transpose(image)  # loads it, too
    except Exception as error:  # of many classes with no other base, for damaged and crafted files
        raise UserError(
            f"the picture cannot be read as an image ({error}): save it anew"
        ) from error
    if image.mode.startswith("I"):  # 16 bits, whichever of the two ways Pillow keeps them
        whole = np.asarray(image).astype(np.float32).clip(0, 65535)
        return whole if image.mode == "I" and whole.max() <= 255 else whole / 257
    if image.mode == "F":
        return _from_floats(np.asarray(image))
    if image.mode == "La":  # which Pillow converts to nothing but LA
        image = image.convert("LA")
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image if image.mode == "L" else image.convert("RGB"))


def _from_floats(pixels: np.ndarray) -> np.ndarray:
    """Take 0..1, or 0..255 with what resampling may add on either side."""
    low, high = float(pixels.min()), float(pixels.max())
    if 0 <= low <= high <= 1:
        return pixels * np.float32(255)
    if not (low >= -_OVER and 1 < high <= 255 + _OVER):  # also true for NaN
        raise UserError(
            f"a picture of floats must lie in 0..1 or 0..255, this one in {low:g}..{high:g}: "
            "scale it"
        )
    return pixels.clip(0, 255)
