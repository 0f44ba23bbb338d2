"""Records against a slow, obvious writer: tarfile for the tar, struct and zlib for the PNG."""

import io
import struct
import tarfile
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shards.errors import UserError
from shards.labels import to_labels
from shards.layout import part_at
from shards.record import RECORD_BYTES, ROW_STRIDE, Samples, build_records


def reference_png(image: np.ndarray) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + row.tobytes() for row in image)
    stored = b"\x78\x01" + struct.pack("<BHH", 1, len(rows), 0xFFFF - len(rows)) + rows
    idat = stored + struct.pack(">I", zlib.adler32(rows))
    assert zlib.decompress(idat) == rows
    header = struct.pack(">IIBBBBB", 128, 32, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def reference_json(label: str, boxes: np.ndarray, ids: np.ndarray) -> bytes:
    inner = ",".join("[" + ",".join(f"{number:3d}" for number in box) + "]" for box in boxes)
    numbers = ",".join(f"{number:10d}" for number in ids)
    return f'{{"label":"{label}","boxes":[{inner}],"ids":[{numbers}]}}'.encode()


def reference_records(samples: Samples, first_key: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for i, label in enumerate(to_labels(samples.digits)):
            n = len(label)
            json = reference_json(label, samples.boxes[i, :n], samples.ids[i, :n])
            files = {"png": reference_png(samples.images[i]), "txt": label.encode(), "json": json}
            for ending, body in files.items():
                info = tarfile.TarInfo(f"{first_key + i:09d}.{ending}")
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))
    return buffer.getvalue()[: len(samples) * RECORD_BYTES]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 12),
    key=st.sampled_from([0, 1, 8, 99_995, 123_456_789, 999_999_987]),
)
def test_bytes_equal_those_of_the_reference(make_samples, seed: int, count: int, key: int) -> None:
    samples = make_samples(count, seed, ids=(0, 10**10))
    assert build_records(samples, key).tobytes() == reference_records(samples, key)


def test_extreme_numbers_fill_their_fields() -> None:
    samples = Samples(
        images=np.full((1, 32, 128), 255, np.uint8),
        digits=np.full((1, 5), 9, np.int8),
        boxes=np.tile(np.array([0, 0, 128, 32], np.int16), (1, 5, 1)),
        ids=np.full((1, 5), 10**10 - 1),
    )
    assert build_records(samples, 999_999_999).tobytes() == reference_records(samples, 999_999_999)


def test_sizes_of_the_contract(make_samples) -> None:
    records = build_records(make_samples(3), 0)
    assert records.shape == (3, 7168)
    assert records.dtype == np.uint8
    assert (RECORD_BYTES, ROW_STRIDE) == (7168, 129)
    assert len(reference_png(np.zeros((32, 128), np.uint8))) == 4196


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("digits", [1, -1, 2, -1, -1], "not 1 to 5 digits"),
        ("digits", [-1, -1, -1, -1, -1], "not 1 to 5 digits"),
        ("digits", [10, -1, -1, -1, -1], "not 1 to 5 digits"),
        ("boxes", [[120, 0, 9, 1]] * 5, "outside 128x32"),
        ("boxes", [[0, -1, 9, 1]] * 5, "outside 128x32"),
        ("boxes", [[32767, 0, 9, 1]] * 5, "outside 128x32"),
        ("ids", [-1] * 5, "id outside"),
        ("ids", [10**10] * 5, "id outside"),
    ],
)
def test_what_cannot_be_recorded_is_refused(make_samples, field, value, message) -> None:
    samples = make_samples(4)
    getattr(samples, field)[2] = value
    with pytest.raises(UserError, match=f"sample 2 of the batch .*{message}"):
        build_records(samples, 0)


def test_wrong_arrays_are_refused(make_samples) -> None:
    samples = make_samples(2)
    with pytest.raises(UserError, match=r"samples\.images is float64 \(2, 32, 128\), not uint8"):
        build_records(replace(samples, images=samples.images / 255), 0)
    with pytest.raises(UserError, match=r"samples\.ids is int64 \(1, 5\)"):
        build_records(replace(samples, ids=samples.ids[:1]), 0)


@pytest.mark.parametrize("key", [-1, 999_999_999])
def test_keys_of_ten_digits_are_refused(make_samples, key: int) -> None:
    with pytest.raises(UserError, match="do not fit 9 digits"):
        build_records(make_samples(2), key)


@pytest.mark.parametrize(
    ("offset", "part"),
    [
        (0, "png header key"),
        (148, "png header checksum"),
        (512, "png signature"),
        (560, "png rows"),
        (512 + 48 + 4128, "png Adler-32"),
        (5632, "txt"),
        (7167, "json"),
    ],
)
def test_parts_are_named(offset: int, part: str) -> None:
    assert part_at(offset) == part
