"""Records: samples in memory to the bytes of a tar, a batch at a time.

One record is copied from the template of its label's length, then array operations fill in what
differs: keys, rows of pixels, and one scatter for all characters of the labels. Only the two
checksums of the PNG are computed image by image (in C, by zlib).
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.layout import (
    BOX_DIGITS,
    BOX_NUMERALS,
    CHECKSUMS,
    DIGIT_CHARACTERS,
    HEADERS,
    ID_DIGITS,
    KEY_DIGITS,
    OCTALS,
    PNG,
    RECORD,
    RECORD_BYTES,
    ROW_STRIDE,
    TEMPLATES,
)

__all__ = ["RECORD_BYTES", "ROW_STRIDE", "Samples", "build_records"]

_PNG_START = RECORD.fields["png"][1]  # type: ignore[index]
_CRC_START, _ROWS_START, _ADLER_START, _CRC = (
    _PNG_START + PNG.fields[name][1]  # type: ignore[index]
    for name in ("IDAT type", "rows", "Adler-32", "CRC-32")
)


@dataclass(frozen=True)
class Samples:
    """A batch of n samples in memory.

    images: uint8 (n, 32, 128), white ink on black.
    digits: int8 (n, 5), the label's digits left to right, -1 where absent (left-aligned).
    boxes: int16 (n, 5, 4), x, y, width, height of each digit's ink in px; 0 where absent.
    ids: int64 (n, 5), bank id of each digit, 0..9,999,999,999; -1 where absent.
    """

    images: np.ndarray
    digits: np.ndarray
    boxes: np.ndarray
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def part(self, start: int, stop: int) -> "Samples":
        """Return the samples `start` to `stop` - 1, as views."""
        span = slice(start, stop)
        return Samples(self.images[span], self.digits[span], self.boxes[span], self.ids[span])


def build_records(samples: Samples, first_key: int) -> np.ndarray:
    """Return the records of `samples`, uint8 (n, 7168), with keys from `first_key` on.

    Raises UserError where the samples have wrong shapes, a label of not 1 to 5 digits, a box
    outside the canvas, an id that is absent or too large, or where a key has over 9 digits.
    """
    lengths = _checked_lengths(samples)
    _check_keys(first_key, len(samples))
    data = TEMPLATES.view(np.uint8).reshape(MAX_DIGITS, RECORD_BYTES).take(lengths - 1, axis=0)
    records = data.reshape(-1).view(RECORD)
    _fill_keys(records, first_key, lengths)
    _fill_labels(data, samples, lengths)
    records["png"]["rows"][:, :, 1:] = samples.images
    records["png"]["Adler-32"] = _over(data, _ROWS_START, _ADLER_START, zlib.adler32)
    records["png"]["CRC-32"] = _over(data, _CRC_START, _CRC, zlib.crc32)
    return data


def _fill_keys(records: np.ndarray, first_key: int, lengths: np.ndarray) -> None:
    numbers = np.arange(first_key, first_key + len(records), dtype=np.uint32)
    keys = _numerals(numbers, KEY_DIGITS, pad="0")
    # The templates' key is all '0', so a key adds the sum of its digits to a header's checksum.
    sums = (keys - ord("0")).sum(axis=1, dtype=np.int64)
    for name in HEADERS:
        records[name]["key"] = keys
        records[name]["checksum"] = OCTALS.take(CHECKSUMS[name][lengths - 1] + sums, axis=0)


def _fill_labels(data: np.ndarray, samples: Samples, lengths: np.ndarray) -> None:
    present = np.flatnonzero(samples.digits >= 0)
    owner, place = np.divmod(present, MAX_DIGITS)
    boxes = samples.boxes.reshape(-1, 4).take(present, axis=0)
    text = np.empty((len(present), DIGIT_CHARACTERS.shape[-1]), np.uint8)
    text[:, :2] = samples.digits.reshape(-1, 1).take(present, axis=0) + ord("0")
    text[:, 2:-ID_DIGITS] = BOX_NUMERALS.take(boxes, axis=0).reshape(len(present), 4 * BOX_DIGITS)
    text[:, -ID_DIGITS:] = _numerals(samples.ids.reshape(-1).take(present), ID_DIGITS)
    where = DIGIT_CHARACTERS[lengths.take(owner) - 1, place]
    where += owner[:, None] * RECORD_BYTES
    data.reshape(-1)[where] = text


def _over(data: np.ndarray, start: int, stop: int, checksum: Callable[[Any], int]) -> list[int]:
    """Return the checksum of the bytes `start` to `stop` - 1 of each record."""
    return list(map(checksum, data[:, start:stop]))


def _numerals(numbers: np.ndarray, width: int, pad: str = " ") -> np.ndarray:
    """Write `numbers` (n,) in decimal, right-aligned: uint8 (n, width)."""
    text = np.full((width, len(numbers)), ord(pad), np.uint8)  # one row for each place
    rest = numbers
    for place in range(width - 1, -1, -1):
        quotient = rest // 10
        digit = rest - 10 * quotient + ord("0")
        text[place] = digit if place == width - 1 else np.where(rest > 0, digit, ord(pad))
        rest = quotient
        if not rest.any():
            break
    return text.T


def _checked_lengths(samples: Samples) -> np.ndarray:
    """Return the label lengths, int64 (n,), of recordable samples; else raise UserError."""
    n = len(samples)
    _check_array("images", samples.images, (n, HEIGHT, WIDTH), np.uint8)
    _check_array("digits", samples.digits, (n, MAX_DIGITS), np.int8)
    _check_array("boxes", samples.boxes, (n, MAX_DIGITS, 4), np.int16)
    _check_array("ids", samples.ids, (n, MAX_DIGITS), np.int64)
    present = samples.digits >= 0
    _check_all(readable(samples.digits), "has a label that is not 1 to 5 digits, left-aligned")
    _check_all(on_canvas(samples.boxes), f"has a box outside {WIDTH}x{HEIGHT} px")
    known = (samples.ids >= 0) & (samples.ids < 10**ID_DIGITS)
    _check_all(known | ~present, f"has an id outside 0..{10**ID_DIGITS - 1}")
    return np.asarray(present.sum(axis=1))


def readable(digits: np.ndarray) -> np.ndarray:
    """Tell which of `digits`, int8 (n, 5), are labels: bool (n,)."""
    places = np.ascontiguousarray(digits.T)  # logic along rows is many times faster
    present = places >= 0
    left_aligned = (present[:-1] >= present[1:]).all(axis=0)
    in_range = ((places >= -1) & (places <= 9)).all(axis=0)
    return np.asarray(present[0] & left_aligned & in_range)


def on_canvas(boxes: np.ndarray) -> np.ndarray:
    """Tell which of `boxes`, integers (..., 4), lie on the canvas: bool (...)."""
    x, y, width, height = np.ascontiguousarray(np.moveaxis(boxes, -1, 0))
    across = (x >= 0) & (width >= 0) & (width <= WIDTH) & (x <= WIDTH - width)
    down = (y >= 0) & (height >= 0) & (height <= HEIGHT) & (y <= HEIGHT - height)
    return np.asarray(across & down)


def _check_array(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: Any) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise UserError(
            f"samples.{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}: "
            "convert it before it is written"
        )


def _check_all(right: np.ndarray, fault: str) -> None:
    if not right.all():
        raise UserError(
            f"sample {np.argwhere(~right)[0, 0]} of the batch {fault}: mend or leave it out"
        )


def _check_keys(first_key: int, count: int) -> None:
    if first_key < 0 or first_key + count > 10**KEY_DIGITS:
        raise UserError(
            f"keys {first_key}..{first_key + count - 1} do not fit {KEY_DIGITS} digits: "
            "split the data into several sets"
        )
