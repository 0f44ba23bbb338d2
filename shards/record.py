"""Records: samples in memory to the bytes of a tar, a batch at a time.

One record is copied from the template of its label's length, then array operations fill in what
differs. Only the two checksums of the PNG are computed image by image (in C, by zlib).
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from shards.layout import (
    ID_DIGITS,
    KEY_DIGITS,
    PNG,
    RECORD,
    RECORD_BYTES,
    ROW_STRIDE,
    TEMPLATES,
    box_fields,
    id_fields,
    label_field,
)

__all__ = ["RECORD_BYTES", "ROW_STRIDE", "Samples", "build_records"]

_HEADERS = ("png header", "txt header", "json header")
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
    _fill_labels(records, samples, lengths)
    records["png"]["rows"][:, :, 1:] = samples.images
    _fill_checksums(records, data)
    return data


def _fill_keys(records: np.ndarray, first_key: int, lengths: np.ndarray) -> None:
    keys = np.empty((len(records), KEY_DIGITS), dtype=np.uint8)
    _write_number(keys, np.arange(first_key, first_key + len(records)), pad=ord("0"))
    digit_sum = (keys - ord("0")).sum(axis=1, dtype=np.int64)
    for name in _HEADERS:
        # The templates' key is all '0', so a key adds the sum of its digits to the checksum.
        base = np.array([int(bytes(text), 8) for text in TEMPLATES[name]["checksum"]])
        checksum = base[lengths - 1] + digit_sum
        records[name]["key"] = keys
        records[name]["checksum"] = (checksum[:, None] >> np.arange(15, -1, -3) & 7) + ord("0")


def _fill_labels(records: np.ndarray, samples: Samples, lengths: np.ndarray) -> None:
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        label = samples.digits[rows, :length].astype(np.uint8) + np.uint8(ord("0"))
        json = np.repeat(TEMPLATES["json"][length - 1 : length], len(rows), axis=0)
        label_field(json, length)[:] = label
        _write_number(box_fields(json, length), samples.boxes[rows, :length])
        _write_number(id_fields(json, length), samples.ids[rows, :length])
        records["json"][rows] = json
        records["txt"][rows, :length] = label


def _fill_checksums(records: np.ndarray, data: np.ndarray) -> None:
    view, size = data.reshape(-1).data, data.size  # slices of a memoryview are cheap
    spans = zip(
        range(_ROWS_START, size, RECORD_BYTES),
        range(_ADLER_START, size, RECORD_BYTES),
        strict=True,
    )
    records["png"]["Adler-32"] = [zlib.adler32(view[start:stop]) for start, stop in spans]
    spans = zip(range(_CRC_START, size, RECORD_BYTES), range(_CRC, size, RECORD_BYTES), strict=True)
    records["png"]["CRC-32"] = [zlib.crc32(view[start:stop]) for start, stop in spans]


def _write_number(text: np.ndarray, values: np.ndarray, pad: int = ord(" ")) -> None:
    """Write `values` (...) as decimal numerals into `text`, uint8 (..., width), right-aligned."""
    rest, last = values, text.shape[-1] - 1
    for place in range(last, -1, -1):
        shown = (rest > 0) | (place == last)
        quotient = rest // 10
        text[..., place] = np.where(shown, rest - 10 * quotient + ord("0"), pad)
        rest = quotient


def _checked_lengths(samples: Samples) -> np.ndarray:
    """Return the label lengths, int64 (n,), of recordable samples; else raise UserError."""
    n = len(samples)
    _check_array("images", samples.images, (n, HEIGHT, WIDTH), np.uint8)
    _check_array("digits", samples.digits, (n, MAX_DIGITS), np.int8)
    _check_array("boxes", samples.boxes, (n, MAX_DIGITS, 4), np.int16)
    _check_array("ids", samples.ids, (n, MAX_DIGITS), np.int64)
    present = samples.digits >= 0
    _check_all(readable(samples.digits), "has a label that is not 1 to 5 digits, left-aligned")
    inside = on_canvas(samples.boxes)
    _check_all(inside.all(axis=1), f"has a box outside {WIDTH}x{HEIGHT} px")
    known = (samples.ids >= 0) & (samples.ids < 10**ID_DIGITS)
    _check_all((known | ~present).all(axis=1), f"has an id outside 0..{10**ID_DIGITS - 1}")
    return np.asarray(present.sum(axis=1))


def readable(digits: np.ndarray) -> np.ndarray:
    """Tell which of `digits`, int8 (n, 5), are labels: bool (n,)."""
    present = digits >= 0
    left_aligned = (present[:, :-1] >= present[:, 1:]).all(axis=1)
    return present[:, 0] & left_aligned & ((digits >= -1) & (digits <= 9)).all(axis=1)


def on_canvas(boxes: np.ndarray) -> np.ndarray:
    """Tell which of `boxes`, integers (..., 4), lie on the canvas: bool (...)."""
    x, y, width, height = np.moveaxis(boxes, -1, 0)
    inside = (x + width <= WIDTH) & (y + height <= HEIGHT)
    return np.asarray((boxes >= 0).all(axis=-1) & (boxes <= WIDTH).all(axis=-1) & inside)


def _check_array(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: Any) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise UserError(
            f"samples.{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}"
        )


def _check_all(right: np.ndarray | np.bool, fault: str) -> None:
    if not np.all(right):
        raise UserError(f"sample {int(np.argmin(right))} of the batch {fault}")


def _check_keys(first_key: int, count: int) -> None:
    if first_key < 0 or first_key + count > 10**KEY_DIGITS:
        raise UserError(
            f"keys {first_key}..{first_key + count - 1} do not fit {KEY_DIGITS} digits: "
            "split the data into several sets"
        )
