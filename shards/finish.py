"""The end of every build: shards that are all there become a data set, its manifest last."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shards.card import write_card
from shards.difference import difference
from shards.errors import UserError
from shards.inventory import sha256
from shards.manifest import (
    MANIFEST,
    PLAN,
    Manifest,
    ShardEntry,
    add_histograms,
    histograms,
    read_manifest,
    write_manifest,
)
from shards.part import Part
from shards.preview import save_preview
from shards.reader import DataSet, Shard
from shards.sums import json_sums

# A shard that is written, with its SHA-256 and sums, and the histograms of its labels.
Result = tuple[ShardEntry, dict[str, Any]]


def is_finished(folder: Path, plan: Manifest, way_out: str) -> bool:
    """Whether the folder holds all that `plan`, of a data set or a part of one, says.

    Raises:
        UserError: It holds another data set, or another part; `way_out` ends the sentence.
    """
    for name in (MANIFEST, PLAN):
        if (folder / name).exists():
            found = read_manifest(folder / name)
            if (found.fingerprint, found.part) != (plan.fingerprint, plan.part):
                raise UserError(
                    f"{folder} holds another data set, which differs in "
                    f"{difference(found, plan)}; {way_out}"
                )
            if name == MANIFEST:
                return all((folder / entry.file).exists() for entry in found.shards)
            return is_finished_part(found, folder)
    if any(folder.glob("*.tar")):
        raise UserError(f"{folder} holds shards of unknown origin; {way_out}")
    return False


def is_finished_part(plan: Manifest, folder: Path | None = None) -> bool:
    """Whether a plan is that of a part whose shards are all written, and in `folder`."""
    if plan.part is None:
        return False
    shards = Part.parse(plan.part).deal(plan.shards)
    there = folder is None or all((folder / entry.file).exists() for entry in shards)
    return there and all(entry.sha256 for entry in shards)


def describe(path: Path, entry: ShardEntry) -> Result:
    """Return the result of a shard that was planned as `entry` and lies in the file `path`.

    UserError where the file holds another number of samples, or labels that are none, or other
    bytes than `entry` says, if it has a SHA-256.
    """
    shard = Shard(path)
    if len(shard) != entry.count:
        raise UserError(
            f"{path} holds {len(shard)} samples where {entry.count} are planned; remove it"
        )
    sums, digest = json_sums(shard.records["json"]).tolist(), sha256(path)
    if entry.sha256 not in (None, digest):
        raise UserError(f"{path} has changed since it was built; remove it")
    return dataclasses.replace(entry, sha256=digest, json_sums=sums), histograms(shard.digits)


def with_shards(plan: Manifest, results: Sequence[Result]) -> Manifest:
    """Return a plan that tells which of its shards are written, and their hashes."""
    written = {entry.file: entry for entry, _ in results}
    shards = [written.get(entry.file, entry) for entry in plan.shards]
    return dataclasses.replace(plan, shards=shards)


def with_results(plan: Manifest, results: Sequence[Result]) -> Manifest:
    """Return the manifest of a plan, all shards of which are written.

    results: those of the shards that `plan.histograms` do not count yet.
    """
    before = [plan.histograms] if plan.histograms else []
    counts = add_histograms([*before, *(counts for _, counts in results)])
    return dataclasses.replace(with_shards(plan, results), histograms=counts)


def finish(manifest: Manifest, folder: Path) -> None:
    """Give a folder that holds all shards of `manifest` its card, preview and manifest."""
    write_card(manifest, folder)
    save_preview(DataSet(folder, manifest))
    write_manifest(manifest, folder / MANIFEST)
    (folder / PLAN).unlink(missing_ok=True)


def remove_finished_plan(folder: Path) -> None:
    """Remove the plan that a build left which was killed between its last two steps."""
    names = (PLAN, MANIFEST)
    if all((folder / name).exists() for name in names):
        plan, manifest = (read_manifest(folder / name) for name in names)
        if plan.fingerprint == manifest.fingerprint:
            (folder / PLAN).unlink()
