"""Builds a data set: plans its shards, renders them in worker processes, finishes the manifest."""

import dataclasses
import hashlib
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from generator.stream import Stream
from shards import __version__
from shards.card import write_card
from shards.errors import UserError
from shards.files import save_image
from shards.layout import END_BYTES, RECORD_BYTES
from shards.manifest import (
    FORMAT,
    MANIFEST,
    PLAN,
    SPLITS,
    Manifest,
    ShardEntry,
    fingerprint,
    histograms,
    read_manifest,
    shard_name,
    write_manifest,
)
from shards.preview import preview
from shards.reader import DataSet, Shard
from shards.record import Samples
from shards.terminal import progress
from shards.writer import write_shard

# Samples rendered before they are written: bounds a worker's memory.
_BATCH = 1024
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

    Shards take their names when they are whole; `manifest.json` comes last. While the build runs,
    `plan.json` tells a reader what is to come.

    Raises:
        UserError: The folder holds another data set, a split lacks a digit, or a number is out
            of range.
        OSError: The disk is full, or the folder cannot be written.
    """
    plan = _plan(order)
    order.folder.mkdir(parents=True, exist_ok=True)
    if _is_built(order.folder, plan):
        return read_manifest(order.folder / MANIFEST)
    write_manifest(plan, order.folder / PLAN)
    results = _build_shards(order, plan, workers)
    counts = [histogram for _, histogram in results]
    manifest = dataclasses.replace(
        plan, shards=[entry for entry, _ in results], histograms=_sum(counts)
    )
    write_manifest(manifest, order.folder / MANIFEST)
    (order.folder / PLAN).unlink()
    write_card(manifest, order.folder)
    first = next(split for split in ("train", *SPLITS) if manifest.splits.get(split))
    save_image(preview(DataSet(order.folder), first, 60), order.folder / "preview.png")
    return manifest


def _plan(order: Order) -> Manifest:
    splits = {split: order.splits[split] for split in SPLITS if order.splits.get(split)}
    if not splits or min(splits.values()) < 0:
        raise UserError(f"a data set needs at least one sample, not {order.splits}")
    if order.shard_size < 1:
        raise UserError(f"the shard size is {order.shard_size}; it must be at least 1")
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
        fingerprint=fingerprint(**decisive, shard_size=order.shard_size),
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
    # Spawned, since a fork after OpenCV has started threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (order,)) as pool:
        futures = [pool.submit(_work, entry) for entry in missing]
        try:
            for future in as_completed(futures):
                done(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_worker: Order


def _start_worker(order: Order) -> None:
    global _worker
    cv2.setNumThreads(0)
    _worker = order


def _work(entry: ShardEntry) -> Result:
    return _build_shard(_worker, entry)


def _build_shard(order: Order, entry: ShardEntry) -> Result:
    digits = []

    def batches() -> Iterator[Samples]:
        for start in range(0, entry.count, _BATCH):
            count = min(_BATCH, entry.count - start)
            first = entry.first_key + start
            samples = order.stream.render(entry.split, first, count)
            digits.append(samples.digits)
            yield samples

    written = write_shard(order.folder / entry.file, batches(), entry.first_key)
    return written, histograms(np.concatenate(digits))


def _describe(path: Path, entry: ShardEntry) -> Result:
    """The result of a shard that an earlier run has finished."""
    shard = Shard(path)
    if len(shard) != entry.count:
        raise UserError(
            f"{path} holds {len(shard)} samples where {entry.count} are planned; remove it"
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return dataclasses.replace(entry, sha256=digest), histograms(shard.digits)


def _sum(counts: list[dict[str, Any]]) -> dict[str, Any]:
    lengths = {k: sum(c["lengths"][k] for c in counts) for k in counts[0]["lengths"]}
    digits = np.sum([c["digits"] for c in counts], axis=0).tolist()
    return {"digits": digits, "lengths": lengths}
