"""One parser fed with damaged and crafted bytes, under limits that the system holds.

    python -m tests.faults.fuzz PARSER [EXAMPLES] [SEED]

Whatever the bytes, a parser gives data or a UserError. Any other exception, a crash, and an
example that takes over SECONDS or MEMORY ends this process with an error. Without a seed the
examples are always the same.
"""

import dataclasses
import faulthandler
import io
import json
import resource
import shutil
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from generator.bank import Bank, build_bank
from generator.bank_file import ARRAYS, read_bank_file
from shards.card import card
from shards.errors import UserError
from shards.foreign.importing import import_tars
from shards.foreign.picture import decode, to_canvas
from shards.inventory import sha256
from shards.manifest import (
    EXTENDED,
    Addition,
    Manifest,
    own_fingerprint,
    read_manifest,
    write_manifest,
)
from shards.reader import DataSet, Shard
from shards.sound import open_sound
from shards.summary import summary
from shards.verify import verify
from tests.faults.damage import STRANGE_JSON, Parser, damaged
from tests.faults.fuzz_drawings import drawings
from tests.faults.fuzz_models import checkpoints, models
from tests.faults.sets import write_set
from tests.faults.tars import drawing, png, write_tar
from tests.generator.test_bank import source

MEMORY = 600_000_000  # bytes for an example; the largest picture that is read takes 470 MB
MEMORY_OF = {
    "onnx": 1_800_000_000,  # what a graph may compute with, and the file
    "drawing": 2_500_000_000,  # of 10,000 x 10,000 px
}
SECONDS = 10  # for an example; most take milliseconds


def records(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    write_set(folder / "set", 1, 3)
    path = folder / "set" / "train-00000.tar"
    manifest = read_manifest(folder / "set" / "manifest.json")

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        entry = dataclasses.replace(manifest.shards[0], sha256=sha256(path))  # a stranger's may be
        forged = dataclasses.replace(manifest, shards=[entry])
        path.with_name("manifest.json").write_text(forged.to_json())
        verify(folder / "set")
        shard = Shard(path)
        shard.boxes_and_ids()
        DataSet(folder / "set").gather("train", np.arange(3))

    return parse, damaged(path.read_bytes())


def manifests(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    write_set(folder / "set", 2, 2)
    path = folder / "set" / "manifest.json"
    sound, extended = path.read_bytes(), _extended(read_manifest(path)).to_json().encode()

    @st.composite
    def replaced(draw: st.DrawFn) -> bytes:
        """Put something strange in the place of one value, deep or not."""
        data = holder = json.loads(draw(st.sampled_from([sound, extended])))
        place: Any = draw(st.sampled_from(sorted(data)))
        while isinstance(holder[place], (dict, list)) and holder[place] and draw(st.booleans()):
            holder = holder[place]
            keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
            place = draw(st.sampled_from(keys))
        holder[place] = draw(STRANGE_JSON)
        return json.dumps(data).encode()

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        manifest = read_manifest(path)
        assert Manifest.from_json(manifest.to_json()) == manifest
        if manifest.shards:
            card(manifest)
        summary(DataSet(folder / "set"))
        verify(folder / "set")
        fingerprint = own_fingerprint(manifest)
        write_manifest(dataclasses.replace(manifest, fingerprint=fingerprint), path)
        open_sound(folder / "set", list(manifest.splits), partial=True)

    parse(extended)
    return parse, st.one_of(replaced(), replaced(), damaged(sound), damaged(extended))


def _extended(manifest: Manifest) -> Manifest:
    """The manifest of the same files, if the last of them had been added."""
    added = Addition({"train": manifest.shards[-1].count}, {"numpy": "2.0"})
    manifest = dataclasses.replace(manifest, format=EXTENDED, additions=[added])
    return dataclasses.replace(manifest, fingerprint=own_fingerprint(manifest))


def with_right_sums(data: bytes) -> bytes:
    """Set the CRC-32 of each chunk of a PNG, so that damage gets past the first check."""
    fixed, at = bytearray(data), 8
    while at + 12 <= len(fixed):
        length = int.from_bytes(fixed[at : at + 4])
        end = at + 8 + length
        if end + 4 > len(fixed):
            break
        fixed[end : end + 4] = zlib.crc32(fixed[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(fixed)


def pictures(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    grey = drawing(20, 60)
    modes = [Image.fromarray(grey).convert(mode) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")]
    files = [io.BytesIO() for _ in range(len(modes) + 2)]
    for image, file in zip(modes, files, strict=False):
        image.save(file, "PNG")
    Image.fromarray(grey).save(files[-2], "JPEG", exif=Image.Exif())
    Image.fromarray(grey).convert("RGB").save(files[-1], "JPEG", progressive=True)
    bases = [file.getvalue() for file in files]
    # The largest that is read, with alpha.
    large = np.zeros((4096, 4096, 4), np.uint8)
    large[100:4000, 100:4000] = 255

    def parse(data: bytes) -> None:
        canvas, _ = to_canvas(decode(data))
        assert canvas.shape == (32, 128)

    largest = png(large, compress_level=1)
    broken = st.one_of(damaged(*bases), damaged(*bases[:-2]).map(with_right_sums))
    return parse, st.integers(0, 30).flatmap(lambda i: broken if i else st.just(largest))


def tars(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    long = f"{'x' * 90}/{'y' * 40}"
    files = {"a.png": png(drawing()), "b.jpg": png(drawing(), "JPEG"), f"{long}.png": b"1"}
    labels = {
        "a.txt": b"1",
        "b.json": b'{"label": 7, "boxes": [[1, 2, 3, 4]]}',
        f"{long}.cls": b"2",
    }
    bases = [
        write_tar(folder / "base.tar", files | labels, format=form).read_bytes()
        for form in (0, 1, 2)
    ]
    tar, out = folder / "in.tar", folder / "out"

    def parse(data: bytes) -> None:
        tar.write_bytes(data)
        try:
            import_tars([tar], out)
            assert verify(out) == []
        finally:
            shutil.rmtree(out, ignore_errors=True)

    headers = [at for base in bases for at in range(0, len(base), 512)]
    return parse, damaged(*bases, spots=[at + i for at in headers for i in range(512)][:60_000])


def banks(folder: Path) -> tuple[Parser, st.SearchStrategy[bytes]]:
    path = folder / "bank.h5"
    build_bank(path, [source("a", {"x": "train", "y": "val"})])
    sound = path.read_bytes()
    structure = np.ones(len(sound), bool)
    for name in ARRAYS:
        array = read_bank_file(path)[0][name]
        start = sound.find(array.tobytes())
        structure[start : start + array.nbytes] = False

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        bank = Bank(path)
        assert bank.images.shape[0] == len(bank) == bank.writers[-1].stop
        bank.has("train")

    return parse, damaged(sound, spots=np.flatnonzero(structure).tolist())


PARSERS = {
    "record": records,
    "manifest": manifests,
    "picture": pictures,
    "tar": tars,
    "bank": banks,
    "checkpoint": checkpoints,
    "onnx": models,
    "drawing": drawings,
}


def main(parser: str, examples: int = 500, number: int | None = None) -> None:
    faulthandler.enable()
    space, _ = memory()
    resource.setrlimit(resource.RLIMIT_AS, (space + 8 * MEMORY,) * 2)  # spares the machine
    outcomes, most, limit = {"read": 0, "refused": 0}, 0, MEMORY_OF.get(parser, MEMORY)
    with tempfile.TemporaryDirectory() as folder:
        parse, strategy = PARSERS[parser](Path(folder))

        @settings(
            max_examples=examples,
            derandomize=number is None,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def fuzz(data: bytes) -> None:
            nonlocal most
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is in use
            _, before = memory()
            try:
                parse(data)
                outcomes["read"] += 1
            except UserError as error:
                if isinstance(error.__cause__, MemoryError):
                    raise error.__cause__ from error
                outcomes["refused"] += 1
            finally:
                faulthandler.cancel_dump_traceback_later()
                most = max(most, memory()[1] - before)
            if most > limit:
                raise MemoryError(f"{most:,} bytes for one example, over {limit:,}")

        (fuzz if number is None else seed(number)(fuzz))()
    print(
        f"{parser}: {sum(outcomes.values())} examples, {outcomes['refused']} refused, "
        f"{outcomes['read']} read, {most / 1e6:.0f} MB at most"
    )


def memory() -> tuple[int, int]:
    """Bytes of address space in use, and the peak of bytes of memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return int(sizes["VmSize"]) * 1024, int(sizes["VmHWM"]) * 1024


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
