"""Prove that a data set is what its manifest says, byte by byte.

A record is right exactly if it equals the record built anew from what it says: its image, label,
boxes and ids. So one comparison covers headers, names, checksums, padding and the agreement of
label and JSON.
"""

import hashlib
from pathlib import Path

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.decode import read_boxes_and_ids, read_digits
from shards.errors import UserError
from shards.layout import END_BYTES, ID_DIGITS, KEY_DIGITS, part_at
from shards.manifest import MANIFEST, Manifest, ShardEntry
from shards.proof import digit_ranges, foreign, writer_faults
from shards.reader import DataSet, Shard
from shards.record import Samples, build_records, on_canvas
from shards.terminal import progress

_BATCH = 1024
_FAULTS_PER_SHARD = 10  # enough to see what is wrong; a damaged file would list thousands


def verify(folder: Path) -> list[str]:
    """Check a data set; one sentence for each fault, none if it is sound.

    Checked are the manifest against the files (missing, extra, size, SHA-256), each record of
    each shard, and that no writer and no digit is in two splits. UserError where `folder` is no
    data set, or one still being built.
    """
    folder = Path(folder)
    manifest = DataSet(folder).manifest
    if not (folder / MANIFEST).exists():
        raise UserError(f"{folder} is still being built: verify it once it has a {MANIFEST}")
    faults = _file_faults(folder, manifest) + writer_faults(manifest)
    with progress("samples") as bar:
        task = bar.add_task("verify", total=sum(manifest.splits.values()))
        for entry in manifest.shards:
            faults += _shard_faults(folder, entry, manifest)
            bar.advance(task, entry.count)
    return faults


def _file_faults(folder: Path, manifest: Manifest) -> list[str]:
    known = {entry.file for entry in manifest.shards}
    found = {path.name for pattern in ("*.tar", ".*.tmp") for path in folder.glob(pattern)}
    missing = [f"{name} is missing" for name in sorted(known - found)]
    return missing + [f"{name} is not in the manifest" for name in sorted(found - known)]


def _shard_faults(folder: Path, entry: ShardEntry, manifest: Manifest) -> list[str]:
    path = folder / entry.file
    if not path.exists():
        return []
    size = path.stat().st_size
    if size != entry.bytes:
        return [f"{entry.file} has {size} bytes, the manifest says {entry.bytes}"]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    faults = []
    if digest != entry.sha256:
        faults.append(f"{entry.file} has SHA-256 {digest}, the manifest says {entry.sha256}")
    shard = Shard(path)
    if shard.end.any():
        faults.append(f"{entry.file} does not end in {END_BYTES} zero bytes")
    for start in range(0, entry.count, _BATCH):
        records = shard.records[start : start + _BATCH]
        found = _record_faults(
            records, entry.first_key + start, digit_ranges(manifest, entry.split)
        )
        faults += [f"{entry.file}, {fault}" for fault in found]
        if len(faults) > _FAULTS_PER_SHARD:
            return [*faults[:_FAULTS_PER_SHARD], f"{entry.file} has more faults than these"]
    return faults


def _record_faults(records: np.ndarray, first_key: int, ranges: np.ndarray) -> list[str]:
    samples, labelled, inside = _parse(records)
    given = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), -1)
    differs = given != build_records(samples, first_key)
    present = samples.digits >= 0
    empty = (samples.boxes[..., 2:] == 0).any(axis=-1) & present
    checks = {
        "the label is not 1 to 5 digits": ~labelled,
        f"a box or an id in the json is outside {WIDTH}x{HEIGHT} px or 10 digits": ~inside,
        "{part} is wrong": differs.any(axis=1),
        "a box in the json is empty": empty.any(axis=1),
        "a digit is of no writer of this split": (foreign(samples.ids, ranges) & present).any(1),
    }
    faults = []
    for i in np.flatnonzero(np.any(list(checks.values()), axis=0)):
        fault = next(text for text, wrong in checks.items() if wrong[i])
        part = part_at(int(differs[i].argmax()))
        faults.append(f"sample {first_key + i:0{KEY_DIGITS}}: {fault.format(part=part)}")
    return faults


def _parse(records: np.ndarray) -> tuple[Samples, np.ndarray, np.ndarray]:
    """Read what records say, made fit to be built, and which said a label and sane numbers."""
    digits, labelled = read_digits(records["txt"])
    digits[~labelled] = [0, -1, -1, -1, -1]
    boxes, ids = read_boxes_and_ids(records["json"], digits)
    inside = on_canvas(boxes).all(axis=1) & (ids < 10**ID_DIGITS).all(axis=1)
    boxes[~inside], ids[~inside] = 0, 0
    return Samples(records["png"]["rows"][:, :, 1:], digits, boxes, ids), labelled, inside
