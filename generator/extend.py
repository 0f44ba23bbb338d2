"""Adds samples to a finished data set, as a minor version; its files stay as they are."""

import dataclasses
from pathlib import Path

from generator.build import build_shards
from generator.origin import stream_of
from generator.plan import check_sizes, checked_splits, plan_shards, tools
from generator.runners import Runner
from generator.shard_job import ShardJob
from shards.errors import UserError
from shards.files import remove_leftovers
from shards.finish import finish, remove_finished_plan, with_results
from shards.inventory import folder_faults
from shards.lock import locked
from shards.manifest import (
    EXTENDED,
    MANIFEST,
    PLAN,
    SPLITS,
    Addition,
    Manifest,
    own_fingerprint,
    read_manifest,
    write_manifest,
)
from shards.reader import DataSet


def extend(
    folder: Path, bank: Path, splits: dict[str, int], shard_size: int, run: Runner
) -> Manifest:
    """Add samples to a data set, or go on with an addition that was cut off.

    The keys go on after the last, so that seed, recipe and digits, which are the set's, give new
    samples. Until all of them are there the folder is the set that it was; `plan.json` beside its
    manifest tells what is to come.

    Args:
        folder: The data set.
        bank: The bank that it was built with.
        splits: How many samples each split gets.
        shard_size: Samples in a new shard.
        run: Who builds.

    Raises:
        UserError: It is no finished set, or one that cannot be drawn on (see `stream_of`); other
            samples are being added to it; shards are missing; there would be too many.
        Exception: Whatever `build` raises.
    """
    if not (folder / MANIFEST).exists():
        raise UserError(f"{folder} has no {MANIFEST}: only a finished data set can be added to")
    added = Addition(checked_splits(splits), tools())
    with locked(folder, "adding to"):
        remove_leftovers(folder)
        try:
            manifest = DataSet(folder).manifest
            stream = stream_of(manifest, bank)
            for split in added.splits:
                stream.check(split)
            if _is_added(folder, manifest, added):
                return manifest
            plan = _planned(folder, _extended(manifest, added, shard_size))
            new = [entry for entry in plan.shards if entry.sha256 is None]
            write_manifest(plan, folder / PLAN)
            results = build_shards(ShardJob(folder, stream), new, run)
            finish(with_results(plan, results), folder)
        finally:
            remove_leftovers(folder)
    return read_manifest(folder / MANIFEST)


def _is_added(folder: Path, manifest: Manifest, added: Addition) -> bool:
    """Whether this command has done it all but for removing the plan."""
    cut_off = (folder / PLAN).exists()
    remove_finished_plan(folder)
    done = cut_off and not (folder / PLAN).exists()
    return done and manifest.additions[-1:] == [added]


def _extended(manifest: Manifest, added: Addition, shard_size: int) -> Manifest:
    """Return the plan of a data set with an addition; the shards that it has keep their hashes."""
    splits = {
        split: manifest.splits.get(split, 0) + added.splits.get(split, 0)
        for split in SPLITS
        if split in manifest.splits or split in added.splits
    }
    check_sizes(splits, shard_size)
    numbers = {split: sum(e.split == split for e in manifest.shards) for split in splits}
    key = sum(manifest.splits.values())
    major, minor = manifest.version.split(".")[:2]
    plan = dataclasses.replace(
        manifest,
        format=EXTENDED,
        version=f"{major}.{int(minor) + 1}.0",
        splits=splits,
        shards=[*manifest.shards, *plan_shards(added.splits, shard_size, key, numbers)],
        additions=[*manifest.additions, added],
    )
    return dataclasses.replace(plan, fingerprint=own_fingerprint(plan))


def _planned(folder: Path, plan: Manifest) -> Manifest:
    """Return the plan if nothing in the folder speaks against it; else raise UserError."""
    if (folder / PLAN).exists():
        there = read_manifest(folder / PLAN)
        if there.fingerprint != plan.fingerprint:
            last = there.stages()[-1]
            sizes = ", ".join(f"{count:,} {split}" for split, count in last.splits.items())
            versions = ", ".join(f"{name} {version}" for name, version in last.tools.items())
            new = len(there.stages()) - 1
            largest = max(e.count for e in there.shards if there.stage_of(e.first_key) == new)
            raise UserError(
                f"{folder} is being added to, {sizes} in shards of {largest:,} with {versions}; "
                "run that command again, or "
                f"remove {PLAN} and the shards that shards verify then names"
            )
    if faults := folder_faults(folder, read_manifest(folder / MANIFEST)):
        raise UserError(
            f"{folder} is not as its manifest says: {faults[0]}; see shards verify, and take "
            "what is lost from a copy, by shards pull, or build it anew elsewhere"
        )
    return plan
