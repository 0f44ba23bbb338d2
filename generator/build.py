"""Builds a data set: plans its shards, renders them in worker processes, finishes the manifest."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from generator.stream import Stream
from generator.workers import DeadWorkerError, run_jobs
from shards import __version__
from shards.card import write_card
from shards.errors import UserError
from shards.files import remove_leftovers, save_image
from shards.layout import END_BYTES, KEY_DIGITS, RECORD_BYTES
from shards.lock import locked
from shards.manifest import (
    FORMAT,
    MANIFEST,
    MAX_SHARDS,
    PLAN,
    SPLITS,
    Manifest,
    ShardEntry,
    add_histograms,
    fingerprint,
    histograms,
    read_manifest,
    shard_name,
    write_manifest,
)
from shards.preview import preview
from shards.reader import DataSet, Shard
from shards.record import Samples
from shards.sums import json_sums
from shards.terminal import progress
from shards.writer import write_shard

# Samples rendered before they are written: bounds a worker's memory.
_BATCH = 2048
# Whose versions may change the bytes.
_TOOLS = ("numpy", "opencv-python-headless")


@dataclass(frozen=True)
class Order:
    """What to build.

    Attributes:
        folder: Where; its name becomes the data set's.
        stream: What the samples are.
        splits: Samples of each split.
        shard_size: Samples in a shard.
    """

    folder: Path
    stream: Stream
    splits: dict[str, int]
    shard_size: int


def build(order: Order, workers: int) -> Manifest:
    """Build a data set, or go on with one that was cut off; the same bytes for any `workers`.

    Every file takes its name when it is whole; `manifest.json` comes last. While the build runs,
    `plan.json` tells a reader what is to come.

    Raises:
        UserError: The folder holds another data set, or another process is building there; a
            split lacks a digit, or a number is out of range; the disk is full; a worker died.
        OSError: The folder cannot be written.
        KeyboardInterrupt: On Ctrl-C; finished shards stay.
        Exception: A sample could not be rendered; a note on the error says which.
    """
    plan = _plan(order)
    order.folder.mkdir(parents=True, exist_ok=True)
    with locked(order.folder, "building"):
        built = _is_built(order.folder, plan)
        try:
            if not built:
                _build(order, plan, workers)
            (order.folder / PLAN).unlink(missing_ok=True)
        finally:
            remove_leftovers(order.folder)
    return read_manifest(order.folder / MANIFEST)


def _build(order: Order, plan: Manifest, workers: int) -> None:
    write_manifest(plan, order.folder / PLAN)
    results = _build_shards(order, plan, workers)
    counts = [histogram for _, histogram in results]
    manifest = dataclasses.replace(
        plan, shards=[entry for entry, _ in results], histograms=add_histograms(counts)
    )
    write_card(manifest, order.folder)
    first = next(split for split in ("train", *SPLITS) if manifest.splits.get(split))
    save_image(preview(DataSet(order.folder), first, 60), order.folder / "preview.png")
    write_manifest(manifest, order.folder / MANIFEST)


def _plan(order: Order) -> Manifest:
    splits = {split: order.splits[split] for split in SPLITS if order.splits.get(split)}
    if not splits or min(splits.values()) < 0:
        raise UserError(f"a data set needs at least one sample, not {order.splits}")
    if sum(splits.values()) > 10**KEY_DIGITS:
        raise UserError(
            f"a data set has at most {10**KEY_DIGITS:,} samples, not {sum(splits.values()):,}; "
            "build several, with a seed each"
        )
    if order.shard_size < 1:
        raise UserError(f"the shard size is {order.shard_size}; it must be at least 1")
    if max(splits.values()) > MAX_SHARDS * order.shard_size:
        raise UserError(
            f"a split has at most {MAX_SHARDS:,} shards, not {max(splits.values()):,} samples by "
            f"{order.shard_size:,}; raise --shard-size, or build several sets with a seed each"
        )
    stream = order.stream
    if stream.seed < 0:
        raise UserError(f"the seed is {stream.seed}; it must be at least 0")
    for split in splits:
        stream.check(split)
    decisive: dict[str, Any] = {
        "seed": stream.seed,
        "recipe": stream.recipe(),
        "splits": splits,
        "sources": stream.sources(),
        "tools": {"digit-readers": __version__} | {name: version(name) for name in _TOOLS},
    }
    return Manifest(
        format=FORMAT,
        name=order.folder.resolve().name,
        version="1.0.0",
        shards=list(_plan_shards(splits, order.shard_size)),
        histograms={},
        fingerprint=fingerprint(**decisive, shard_size=min(order.shard_size, max(splits.values()))),
        **decisive,
    )


def _plan_shards(splits: dict[str, int], shard_size: int) -> Iterator[ShardEntry]:
    key = 0
    for split, total in splits.items():
        for number, start in enumerate(range(0, total, shard_size)):
            count = min(shard_size, total - start)
            size = count * RECORD_BYTES + END_BYTES
            yield ShardEntry(shard_name(split, number), split, key, count, size, None)
            key += count


def _is_built(folder: Path, plan: Manifest) -> bool:
    """Whether the folder holds this very data set, whole.

    Raises:
        UserError: It holds another one.
    """
    for name in (MANIFEST, PLAN):
        if (folder / name).exists():
            found = read_manifest(folder / name)
            if found.fingerprint != plan.fingerprint:
                raise UserError(
                    f"{folder} holds another data set, which differs in "
                    f"{_difference(found, plan)}; build into an empty folder, or with the same "
                    "settings to go on"
                )
            return name == MANIFEST
    if any(folder.glob("*.tar")):
        raise UserError(f"{folder} holds shards of unknown origin; build into an empty folder")
    return False


def _difference(found: Manifest, plan: Manifest) -> str:
    parts = []
    for name in ("seed", "splits", "tools", "recipe"):
        old, new = getattr(found, name), getattr(plan, name)
        if isinstance(old, dict):
            changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
            parts += [f"{name} {k} ({old.get(k)}, now {new.get(k)})" for k in changed]
        elif old != new:
            parts.append(f"{name} ({old}, now {new})")
    if [s["sha256"] for s in found.sources] != [s["sha256"] for s in plan.sources]:
        parts.append("digit sources")
    return ", ".join(parts) or "shard size"


Result = tuple[ShardEntry, dict[str, Any]]


def _build_shards(order: Order, plan: Manifest, workers: int) -> list[Result]:
    results: dict[str, Result] = {}
    with progress("images") as bar:
        task = bar.add_task(order.folder.name, total=sum(plan.splits.values()))

        def done(result: Result) -> None:
            results[result[0].file] = result
            bar.advance(task, result[0].count)

        missing = []
        for entry in plan.shards:
            if (order.folder / entry.file).exists():
                done(_describe(order.folder / entry.file, entry))
            else:
                missing.append(entry)
        if workers <= 1:
            for entry in missing:
                done(_build_shard(order, entry))
        else:
            _build_in_processes(order, missing, workers, done)
    return [results[entry.file] for entry in plan.shards]


def _build_in_processes(
    order: Order, missing: list[ShardEntry], workers: int, done: Callable[[Result], None]
) -> None:
    try:
        run_jobs(partial(_build_on_one_thread, order), missing, workers, done)
    except DeadWorkerError as died:
        entry: ShardEntry = died.job
        keys = range(entry.first_key, entry.first_key + entry.count)
        raise UserError(
            f"a worker {died.how} at {entry.file}, {_names(keys)}; finished shards stay, and the "
            "same command goes on, with fewer workers if memory was short"
        ) from None


def _build_on_one_thread(order: Order, entry: ShardEntry) -> Result:
    cv2.setNumThreads(0)
    return _build_shard(order, entry)


def _build_shard(order: Order, entry: ShardEntry) -> Result:
    digits = []

    def batches() -> Iterator[Samples]:
        end = entry.first_key + entry.count
        for first in range(entry.first_key, end, _BATCH):
            samples = _render(order.stream, entry, range(first, min(first + _BATCH, end)))
            digits.append(samples.digits)
            yield samples

    written = write_shard(order.folder / entry.file, batches(), entry.first_key)
    return written, histograms(np.concatenate(digits))


def _render(stream: Stream, entry: ShardEntry, keys: range) -> Samples:
    try:
        return stream.render(entry.split, keys.start, len(keys))
    except Exception as error:
        error.add_note(f"at {entry.file}, {_names(_failing(stream, entry, keys))}")
        raise


def _failing(stream: Stream, entry: ShardEntry, keys: range) -> range:
    """The first of the samples that cannot be rendered alone, or all of them where each can."""
    for key in keys:
        try:
            stream.render(entry.split, key, 1)
        except Exception:  # noqa: BLE001 - the error is raised already
            return range(key, key + 1)
    return keys


def _names(keys: range) -> str:
    first, last = f"{keys[0]:0{KEY_DIGITS}}", f"{keys[-1]:0{KEY_DIGITS}}"
    return f"sample {first}" if len(keys) == 1 else f"samples {first} to {last}"


def _describe(path: Path, entry: ShardEntry) -> Result:
    """The result of a shard that an earlier run has finished."""
    shard = Shard(path)
    if len(shard) != entry.count:
        raise UserError(
            f"{path} holds {len(shard)} samples where {entry.count} are planned; remove it"
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    sums = json_sums(shard.records["json"]).tolist()
    written = dataclasses.replace(entry, sha256=digest, json_sums=sums)
    return written, histograms(shard.digits)
