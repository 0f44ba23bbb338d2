"""Prove that a data set is what its manifest says, byte by byte.

A record is right exactly if it equals the record built anew from what it says: its image, label,
boxes and ids. So one comparison covers headers, names, checksums, padding and the agreement of
label and JSON. Boxes and ids, which the JSON alone says, are covered by the sums of `shards.sums`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from shards.canvas import HEIGHT, WIDTH
from shards.decode import read_boxes_and_ids, read_digits
from shards.errors import UserError
from shards.inventory import file_fault, folder_faults, keys_of
from shards.layout import END_BYTES, ID_DIGITS, KEY_DIGITS, PNG, RECORD, RECORD_BYTES, part_at
from shards.manifest import (
    MANIFEST,
    Manifest,
    ShardEntry,
    add_histograms,
    histograms,
    own_fingerprint,
)
from shards.opening import open_data
from shards.proof import digit_ranges, foreign, writer_faults
from shards.record import Samples, build_records, on_canvas
from shards.remote.place import is_url
from shards.sums import changed_file, json_sums
from shards.terminal import progress

_BATCH = 1024
_FAULTS_PER_SHARD = 10  # enough to see what is wrong; a damaged file would list thousands
_PNG = RECORD.fields["png"][1]  # type: ignore[index]
_ROWS, _ADLER, _CRC = (_PNG + PNG.fields[name][1] for name in ("rows", "Adler-32", "CRC-32"))  # type: ignore[index]


def verify(place: str | Path) -> list[str]:
    """Check a data set; one sentence for each fault, none if it is sound.

    Checked are the manifest against the files (missing, extra, size, SHA-256), its own
    fingerprint and the labels; each record of each shard; and that no writer and no digit is in
    two splits. Of one at a URL extra files are not seen. UserError where `place` has no data set,
    or one still being built.
    """
    data = open_data(place)
    manifest = data.manifest
    if not (is_url(place) or (data.folder / MANIFEST).exists()):
        raise UserError(f"{place} is still being built: verify it once it has a {MANIFEST}")
    extra = [] if is_url(place) else folder_faults(data.folder, manifest)
    faults = _manifest_faults(manifest) + extra + writer_faults(manifest)
    counts = [histograms(np.zeros((0, 5), np.int8))]
    with progress("samples") as bar:
        task = bar.add_task("verify", total=sum(manifest.splits.values()))
        for entry in manifest.shards:
            try:
                path = data.file(entry)
            except UserError as error:  # it cannot be fetched
                faults.append(str(error))
                continue
            if path.exists():
                faults += _shard_faults(path, entry, manifest, counts)
            bar.advance(task, entry.count)
    if not faults and add_histograms(counts) != manifest.histograms:
        return [f"{MANIFEST} has histograms that are not those of the labels: it was edited"]
    return faults


def _manifest_faults(manifest: Manifest) -> list[str]:
    if manifest.fingerprint == own_fingerprint(manifest):
        return []
    parts = "seed, recipe, splits, sources and tools"
    return [f"{MANIFEST} has a fingerprint that is not that of its {parts}: it was edited"]


def _shard_faults(
    path: Path, entry: ShardEntry, manifest: Manifest, counts: list[dict[str, Any]]
) -> list[str]:
    """List what is wrong with a shard and its samples; append to `counts` what its labels are."""
    fault = file_fault(path, entry, manifest)
    if fault and not fault.own:
        return [fault.text]
    faults = [fault.text] if fault else []
    records, end = _map(path, entry)
    complete = len(end) == END_BYTES
    if complete and end.any():
        faults.append(f"{entry.file} does not end in {END_BYTES} zero bytes")
    ranges = digit_ranges(manifest, entry.split)
    sums = np.zeros(2, np.uint64)
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        sums += json_sums(batch["json"], start)
        found = _record_faults(batch, entry.first_key + start, ranges, counts)
        faults += [f"{entry.file}, {fault}" for fault in found]
        if len(faults) > _FAULTS_PER_SHARD:
            return [*faults[:_FAULTS_PER_SHARD], f"{entry.file} has more faults than these"]
    if fault and complete and len(faults) == 1:
        faults.append(f"{entry.file}, {_unseen_fault(entry, sums)}")
    return faults


def _map(path: Path, entry: ShardEntry) -> tuple[np.ndarray, np.ndarray]:
    """Map the records that are whole, at most those of `entry`, and what follows where all are."""
    empty = path.stat().st_size == 0  # which cannot be mapped
    data = np.zeros(0, np.uint8) if empty else np.memmap(path, np.uint8, "r").view(np.ndarray)
    whole = min(entry.count, len(data) // RECORD_BYTES)
    return data[: whole * RECORD_BYTES].view(RECORD), data[entry.count * RECORD_BYTES :]


def _unseen_fault(entry: ShardEntry, sums: np.ndarray) -> str:
    """Say where a shard whose records are sound is not the one that was built."""
    right = np.array(entry.json_sums or [0, 0], np.uint64)
    place = changed_file(sums, right, entry.count) if entry.json_sums else None
    if place is not None:
        return f"sample {entry.first_key + place:0{KEY_DIGITS}}: a box or an id was changed"
    return (
        f"{keys_of(entry)}: each is sound in itself, so that they are of another build, or "
        "boxes or ids were changed"
    )


def _record_faults(
    records: np.ndarray, first_key: int, ranges: np.ndarray, counts: list[dict[str, Any]]
) -> list[str]:
    samples, labelled, inside = _parse(records)
    counts.append(histograms(samples.digits))
    given = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), -1)
    differs = given != build_records(samples, first_key)
    # The sums are computed from the pixels: where both are wrong, it is a pixel that has changed.
    differs[:, _ROWS] |= differs[:, _ADLER : _ADLER + 4].any(1) & differs[:, _CRC : _CRC + 4].any(1)
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
