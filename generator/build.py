"""Builds a data set: plans its shards, has the missing ones built, finishes the manifest."""

import dataclasses
from collections.abc import Sequence

from generator.plan import Order, plan_of
from generator.runners import Processes, Runner
from generator.shard_job import ShardJob
from shards.errors import UserError
from shards.files import make_folder, remove_leftovers
from shards.finish import (
    Result,
    describe,
    finish,
    is_finished,
    remove_finished_plan,
    with_results,
    with_shards,
)
from shards.lock import locked
from shards.manifest import MANIFEST, PLAN, Manifest, ShardEntry, read_manifest, write_manifest
from shards.part import Part
from shards.terminal import progress

_WAY_OUT = "build into an empty folder, or with the same settings to go on"


def build(
    order: Order, workers: int = 1, *, run: Runner | None = None, part: Part | None = None
) -> Manifest:
    """Build a data set, or what is missing of one; the same bytes whoever builds it.

    Every file takes its name when it is whole; `manifest.json` comes last. While the build runs,
    `plan.json` tells a reader what is to come.

    Args:
        order: What to build.
        workers: Processes of this machine that build.
        run: Who builds instead of them.
        part: Which part of the shards to build, for `shards.merge` to join. The folder then keeps
            its `plan.json`, which says what it holds, and is no data set.

    Raises:
        UserError: The folder holds another data set, or another process is building there; a
            split lacks a digit, or a number is out of range; a file is where the folder is to be;
            the disk is full; a worker died.
        OSError: The folder cannot be written.
        KeyboardInterrupt: On Ctrl-C; finished shards stay.
        Exception: A sample could not be rendered; a note on the error says which.
    """
    folder = order.folder
    plan = dataclasses.replace(plan_of(order), part=str(part) if part else None)
    make_folder(folder)
    with locked(folder, "building"):
        try:
            if is_finished(folder, plan, _WAY_OUT):
                remove_finished_plan(folder)
            else:
                for name in (PLAN, MANIFEST):  # which may know hashes of their shards
                    if (folder / name).exists():
                        plan = dataclasses.replace(plan, shards=read_manifest(folder / name).shards)
                write_manifest(plan, folder / PLAN)
                wanted = part.deal(plan.shards) if part else plan.shards
                results = build_shards(
                    ShardJob(folder, order.stream), wanted, run or Processes(workers)
                )
                if part:
                    write_manifest(with_shards(plan, results), folder / PLAN)
                else:
                    finish(with_results(plan, results), folder)
        finally:
            remove_leftovers(folder)
    return read_manifest(folder / (PLAN if part else MANIFEST))


def build_shards(job: ShardJob, entries: Sequence[ShardEntry], run: Runner) -> list[Result]:
    """Have those shards built that are not in the folder; return the results of all, in order."""
    results: dict[str, Result] = {}
    known = {entry.file: entry.sha256 for entry in entries}
    with progress("images") as bar:
        task = bar.add_task(job.folder.name, total=sum(entry.count for entry in entries))

        def done(result: Result) -> None:
            file = result[0].file
            if known[file] not in (None, result[0].sha256):
                raise UserError(
                    f"{job.folder / file} was missing and has other bytes now than the manifest "
                    "says, which another machine wrote; build into an empty folder"
                )
            results[file] = result
            bar.advance(task, result[0].count)

        missing = []
        for entry in entries:
            if (job.folder / entry.file).exists():
                done(describe(job.folder / entry.file, entry))
            else:
                missing.append(entry)
        if missing:
            run(job, missing, done)
    return [results[entry.file] for entry in entries]
