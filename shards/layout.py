"""Where each byte of a record lies: one NumPy type that writing, reading and verifying share.

A record is a piece of a USTAR tar: `<key>.png`, `<key>.txt` and `<key>.json`, each a header and
a body padded to whole blocks. Nothing in it moves, so a shard is also an array of `RECORD`.
"""

import struct
import tarfile
import zlib

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.labels import MAX_DIGITS

ROW_STRIDE = WIDTH + 1  # each PNG row starts with its filter byte
KEY_DIGITS = 9
BOX_DIGITS, ID_DIGITS = 3, 10  # widths of the numbers in the JSON
END_BYTES = 1024  # two zero blocks end a tar

HEADER = np.dtype(
    [
        ("key", "u1", KEY_DIGITS),
        ("suffix", "V91"),
        ("attributes", "V48"),  # mode, owner, group, size, time
        ("checksum", "u1", 6),
        ("rest", "V358"),
    ]
)
PNG = np.dtype(
    [
        ("signature", "V8"),
        ("IHDR", "V25"),
        ("IDAT length", "V4"),
        ("IDAT type", "V4"),
        ("zlib header", "V7"),
        ("rows", "u1", (HEIGHT, ROW_STRIDE)),
        ("Adler-32", ">u4"),
        ("CRC-32", ">u4"),
        ("IEND", "V12"),
        ("padding", "V412"),
    ]
)
RECORD = np.dtype(
    [
        ("png header", HEADER),
        ("png", PNG),
        ("txt header", HEADER),
        ("txt", "u1", 512),
        ("json header", HEADER),
        ("json", "u1", 512),
    ]
)
RECORD_BYTES = RECORD.itemsize
JSON_START = RECORD.fields["json"][1]  # type: ignore[index]
# What a training step wants of a record, in one piece: from the rows of pixels to the label.
SAMPLE_START = HEADER.itemsize + PNG.fields["rows"][1]  # type: ignore[index]
_AFTER_ROWS = PNG.itemsize - PNG.fields["Adler-32"][1] + HEADER.itemsize  # type: ignore[index]
SAMPLE = np.dtype(
    [
        ("rows", "u1", (HEIGHT, ROW_STRIDE)),
        ("between", f"V{_AFTER_ROWS}"),
        ("label", "u1", MAX_DIGITS + 1),
    ]
)


def template(length: int) -> np.ndarray:
    """Return a record, RECORD (), of the label '0' * `length`: all zeros, sums of the PNG too."""
    rows = bytes(HEIGHT * ROW_STRIDE)
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(rows), len(rows) ^ 0xFFFF)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", stored + rows + bytes(4))
        + _chunk(b"IEND", b"")
    )
    files = {"png": png, "txt": b"0" * length, "json": _json(length).encode()}
    record = b"".join(_tar_file(f"{0:0{KEY_DIGITS}}.{end}", body) for end, body in files.items())
    zeros: np.ndarray = np.frombuffer(record, dtype=RECORD)[0]
    return zeros


def box_fields(json: np.ndarray, length: int) -> np.ndarray:
    """Return a view of the box numerals, uint8 (n, length, 4, 3), in `json`, uint8 (n, 512)."""
    start = _json(length).index("[[") + 1
    boxes = json[:, start : start + 18 * length].reshape(-1, length, 18)
    return boxes[:, :, 1:17].reshape(-1, length, 4, BOX_DIGITS + 1)[..., :BOX_DIGITS]


def id_fields(json: np.ndarray, length: int) -> np.ndarray:
    """Return a view of the id numerals, uint8 (n, length, 10), in `json`, uint8 (n, 512)."""
    start, stride = _json(length).rindex("[") + 1, ID_DIGITS + 1
    return json[:, start : start + stride * length].reshape(-1, length, stride)[..., :ID_DIGITS]


def label_field(json: np.ndarray, length: int) -> np.ndarray:
    """Return a view of the label, uint8 (n, length), in `json`, uint8 (n, 512)."""
    start = _json(length).index(":") + 2
    return json[:, start : start + length]


def part_at(offset: int, layout: np.dtype[np.void] = RECORD) -> str:
    """Name the part of a record that holds the byte `offset`, 0..7167, like 'png CRC-32'."""
    for name, field in (layout.fields or {}).items():
        kind, start = field[:2]
        if start <= offset < start + kind.itemsize:
            return f"{name} {part_at(offset - start, kind)}".rstrip()
    return ""


def _json(length: int) -> str:
    box = "[" + ",".join([f"{0:{BOX_DIGITS}}"] * 4) + "]"
    boxes, ids = ",".join([box] * length), ",".join([f"{0:{ID_DIGITS}}"] * length)
    return f'{{"label":"{"0" * length}","boxes":[{boxes}],"ids":[{ids}]}}'


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tar_file(name: str, body: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(body)
    return info.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % tarfile.BLOCKSIZE)


def _digit_characters(length: int) -> np.ndarray:
    """Offsets, int64 (5, 24), of the characters of each digit; see DIGIT_CHARACTERS."""
    offsets = np.arange(RECORD_BYTES)[None]
    txt, json = (offsets[:, RECORD.fields[name][1] :] for name in ("txt", "json"))  # type: ignore[index]
    parts = [
        txt[:, :length],
        label_field(json, length),
        box_fields(json, length),
        id_fields(json, length),
    ]
    places = np.concatenate([part.reshape(length, -1) for part in parts], axis=1)
    return np.pad(places, ((0, MAX_DIGITS - length), (0, 0)))


HEADERS = ("png header", "txt header", "json header")
# By the length of the label, from 1: the whole record; of each header, int64 (5,), the sum of its
# bytes; and where each digit has its characters, int64 (5, 5, 24): in the txt, in the JSON's
# label, 4 x 3 of its box, 10 of its id.
TEMPLATES = np.stack([template(length) for length in range(1, MAX_DIGITS + 1)])
CHECKSUMS = {
    name: np.array([int(bytes(text), 8) for text in TEMPLATES[name]["checksum"]])
    for name in HEADERS
}
DIGIT_CHARACTERS = np.stack([_digit_characters(length) for length in range(1, MAX_DIGITS + 1)])
# Numbers as they are written: uint8 (8192, 6) the sums of headers, (1000, 3) the sides of boxes.
OCTALS = np.frombuffer(b"".join(b"%06o" % i for i in range(8192)), np.uint8).reshape(-1, 6)
BOX_NUMERALS = np.frombuffer(b"".join(b"%3d" % i for i in range(1000)), np.uint8).reshape(-1, 3)
