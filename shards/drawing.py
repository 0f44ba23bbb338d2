"""Whatever a person calls a drawing, as one grey picture."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shards.errors import UserError

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_UNIFORM = 32  # of 255: a fill that varies less is one colour


def read_grey(drawing: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Return `drawing` as grey, uint8 or float32 (height, width), 0..255.

    On a transparent ground one colour of ink is read from its alpha alone, so that black ink and
    white ink come out alike; any other picture with alpha is laid on white. UserError where it is
    no picture (see `shards.canvas.fit` for what is one).
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
    grey = colour @ _LUMA if channels > 2 else colour[..., 0]
    return _without_alpha(grey, pixels[..., -1]) if channels % 2 == 0 else grey


def _without_alpha(grey: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    opaque = grey[alpha >= 128]
    if np.median(border) < 128 and (opaque.size == 0 or np.ptp(opaque) < _UNIFORM):
        return alpha
    return np.asarray(255 + (grey - np.float32(255)) * (alpha / np.float32(255)), dtype=np.float32)


def _from_array(array: np.ndarray) -> np.ndarray:
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
        with Image.open(path) as image:
            return _from_pillow(image)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UserError(f"{path} is no image file: check the path") from error
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise UserError(f"{path} cannot be read as an image ({error}): save it anew") from error


def _from_pillow(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits, whichever of the two ways Pillow keeps them
        return np.asarray(image).astype(np.float32).clip(0, 65535) / 257
    if image.mode == "F":
        return np.asarray(image).clip(0, 255)
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image if image.mode == "L" else image.convert("RGB"))
