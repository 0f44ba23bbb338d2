"""Records back to labels, boxes and ids, a shard at a time."""

import numpy as np

from shards.labels import MAX_DIGITS
from shards.layout import box_fields, id_fields
from shards.record import readable

# Of each byte of a label, int8 (256,): a digit, -1 for the zero byte after them, else no digit.
_MEANING = np.full(256, 99, np.int8)
_MEANING[0] = -1
_MEANING[ord("0") : ord("9") + 1] = range(10)


def read_digits(txt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Digits, int8 (n, 5), of the label files `txt`, uint8 (n, 512), and which of them are labels.

    Of each, 6 bytes will do. A label is 1 to 5 digits and then a zero byte; rows for which the
    second array, bool (n,), is False hold anything.
    """
    digits = _MEANING.take(txt[:, : MAX_DIGITS + 1])
    digits, after = digits[:, :MAX_DIGITS].copy(), digits[:, MAX_DIGITS]
    return digits, readable(digits) & (after == -1)


def read_boxes_and_ids(json: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes, int16 (n, 5, 4), and ids, int64 (n, 5), of the JSON files `json`, uint8 (n, 512).

    `digits`, int8 (n, 5), tells the lengths. Absent boxes are 0, absent ids -1.
    """
    boxes = np.zeros((len(json), MAX_DIGITS, 4), dtype=np.int16)
    ids = np.full((len(json), MAX_DIGITS), -1, dtype=np.int64)
    lengths = (digits >= 0).sum(axis=1)
    for length in range(1, MAX_DIGITS + 1):
        rows = np.flatnonzero(lengths == length)
        text = json[rows]
        boxes[rows, :length] = _read_number(box_fields(text, length))
        ids[rows, :length] = _read_number(id_fields(text, length))
    return boxes, ids


def _read_number(text: np.ndarray) -> np.ndarray:
    # Of a digit and of the padding space alike, the low four bits are the value.
    places = 10 ** np.arange(text.shape[-1] - 1, -1, -1)
    return np.asarray((text & 15) @ places)
