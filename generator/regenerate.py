"""Renders a sample of a data set again, and compares it with the record that is stored."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.origin import stream_of
from generator.plan import tools
from shards.errors import UserError
from shards.labels import to_labels
from shards.layout import RECORD, part_at
from shards.manifest import Manifest, ShardEntry
from shards.reader import DataSet, Shard
from shards.record import build_records


@dataclass(frozen=True)
class Regenerated:
    """A sample, rendered again.

    key, file: which, and the shard that holds it. label: what it says now. image: uint8 (32, 128),
    as it is now. differences: one sentence for each difference from the stored record, none where
    all 7,168 bytes are equal.
    """

    key: int
    file: str
    label: str
    image: np.ndarray
    differences: list[str]


def regenerate(folder: Path, bank: Path, key: int) -> Regenerated:
    """Render the sample `key` of a data set again, from its manifest and the bank alone.

    Raises:
        UserError: There is no such sample; its shard is missing; the set cannot be drawn again
            (see `stream_of`).
    """
    data = DataSet(folder)
    entry = _holder(data.manifest, key)
    path = data.folder / entry.file
    if not path.exists():
        raise UserError(f"{path} is missing: wait for the build, or fetch it again")
    shard = Shard(path)
    if len(shard) != entry.count:
        raise UserError(f"{path} has {len(shard)} samples, not {entry.count}: see shards verify")
    sample = stream_of(data.manifest, bank).render(entry.split, key, 1)
    again = build_records(sample, key).reshape(-1).view(RECORD)
    stored = shard.records[key - entry.first_key : key - entry.first_key + 1]
    differences = _differences(stored, again)
    if differences:
        differences.append(_tools(data.manifest, key))
    label = to_labels(sample.digits)[0]
    return Regenerated(key, entry.file, label, sample.images[0], differences)


def _holder(manifest: Manifest, key: int) -> ShardEntry:
    for entry in manifest.shards:
        if entry.first_key <= key < entry.first_key + entry.count:
            return entry
    raise UserError(
        f"there is no sample {key}: the keys of {manifest.name} are 0 to "
        f"{sum(manifest.splits.values()) - 1}"
    )


def _differences(stored: np.ndarray, again: np.ndarray) -> list[str]:
    """Say in what two records, RECORD (1,), differ; nothing where their bytes are equal."""
    here, there = (np.ascontiguousarray(one).view(np.uint8) for one in (stored, again))
    differs = here != there
    if not differs.any():
        return []
    found = []
    pixels, now = (one["png"]["rows"][0, :, 1:].astype(int) for one in (stored, again))
    if (pixels != now).any():
        found.append(
            f"the image differs in {(pixels != now).sum():,} of {pixels.size:,} pixels, by "
            f"{abs(pixels - now).max()} of 255 at most"
        )
    texts = {name: [_text(one[name][0]) for one in (stored, again)] for name in ("txt", "json")}
    found += [f"the {name} says {a} and is now {b}" for name, (a, b) in texts.items() if a != b]
    if not found:
        found.append(f"its {part_at(int(differs.argmax()))} differs")
    return found


def _text(field: np.ndarray) -> str:
    return bytes(field).rstrip(b"\0 \n").decode("ascii", "replace")


def _tools(manifest: Manifest, key: int) -> str:
    """Say which versions differ between those that made the sample and those here."""
    made, here = manifest.stages()[manifest.stage_of(key)].tools, tools()
    changed = [
        f"{name} {made.get(name, 'unknown')} made it, {here.get(name, 'none')} is here"
        for name in sorted(made.keys() | here.keys())
        if made.get(name) != here.get(name)
    ]
    return ", ".join(changed) or (
        "the versions are those that made it: the record was changed, or the processor computes "
        "otherwise"
    )
