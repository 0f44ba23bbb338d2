"""Single bits flipped all over a record: each is named, where image libraries decode on."""

import io
import os
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shards.layout import part_at
from shards.verify import verify
from tests.faults.sets import RECORD, overwrite, write_set

UNIFORM, IN_EACH_PART = 1_500, 25
SAMPLES = 2  # in a shard
PNG, PNG_SIZE = 512, 4196


def positions(random: np.random.Generator) -> np.ndarray:
    """Bits of a record: some anywhere, and some in each of its parts, of which small ones are."""
    parts = defaultdict(list)
    for offset in range(RECORD):
        parts[part_at(offset)].append(offset)
    assert len(parts) > 20
    in_parts = [random.choice(offsets, IN_EACH_PART) for offsets in parts.values()]
    offsets = np.concatenate([random.integers(0, RECORD, UNIFORM), *in_parts])
    return offsets * 8 + random.integers(0, 8, len(offsets))


def may_be_named(offset: int) -> str:
    """The names, as a regular expression, that damage at this byte of a record may be given."""
    part = part_at(offset)
    numbers = r"a box .*|a digit is of no writer of this split"
    also = {"txt": "json is wrong|the label is not 1 to 5 digits", "json": numbers}
    return f"{part} is wrong|{also.get(part, part)}"


def test_every_flipped_bit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    random = np.random.default_rng(7)
    bits = positions(random)
    assert len(bits) >= 2_000
    folder = tmp_path / "set"
    write_set(folder, len(bits), SAMPLES)
    samples = random.integers(0, SAMPLES, len(bits))
    in_png = silent = 0
    for shard, (bit, sample) in enumerate(zip(bits.tolist(), samples.tolist(), strict=True)):
        path = folder / f"train-{shard:05}.tar"
        record = bytearray(path.read_bytes()[sample * RECORD : (sample + 1) * RECORD])
        offset = bit // 8
        record[offset] ^= 1 << bit % 8
        overwrite(path, sample * RECORD + offset, record[offset : offset + 1])
        if PNG <= offset < PNG + PNG_SIZE:
            in_png += 1
            silent += decodes(record[PNG : PNG + PNG_SIZE])
    faults = verify(folder)
    named = [re.fullmatch(r"train-(\d+)\.tar, sample (\d+): (.*)", fault) for fault in faults]
    assert [bool(match) for match in named] == [False, True] * len(bits)
    for shard, (bit, sample) in enumerate(zip(bits.tolist(), samples.tolist(), strict=True)):
        assert faults[2 * shard].startswith(f"train-{shard:05}.tar has SHA-256 ")
        file, key, fault = named[2 * shard + 1].groups()
        assert (int(file), int(key)) == (shard, shard * SAMPLES + sample)
        assert re.fullmatch(may_be_named(bit // 8), fault), part_at(bit // 8)
    assert silent > 0  # which is why a reader that decodes is no proof
    print(f"{len(bits)} flipped bits named; of {in_png} in PNGs, Pillow decodes {silent}")


def decodes(png: bytes) -> bool:
    """Whether Pillow, as a data loader calls it, makes an image of this."""
    try:
        np.asarray(Image.open(io.BytesIO(png)))
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def test_bits_flipped_after_the_last_record_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_set(folder, 8, 2)
    random = np.random.default_rng(3)
    for shard, offset in enumerate(random.integers(0, 1024, 8).tolist()):
        overwrite(folder / f"train-{shard:05}.tar", 2 * RECORD + offset, b"\4")
    faults = verify(folder)
    assert faults[1::2] == [f"train-{i:05}.tar does not end in 1024 zero bytes" for i in range(8)]
