"""Joins the parts of a build, made apart, into the data set that one build would have made."""

import dataclasses
import errno
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shards.difference import difference
from shards.errors import UserError
from shards.files import make_folder, remove_leftovers, replacement
from shards.finish import (
    Result,
    finish,
    is_finished,
    is_finished_part,
    remove_finished_plan,
    with_results,
)
from shards.inventory import file_fault
from shards.lock import locked
from shards.manifest import (
    MANIFEST,
    PLAN,
    Manifest,
    ShardEntry,
    histograms,
    read_manifest,
    write_manifest,
)
from shards.part import Part
from shards.reader import Shard
from shards.terminal import progress

# Why a file cannot be linked where it can be copied: other disks, and file systems without links.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_NAMED = 3  # missing shards named in a sentence

# A shard, as the part that made it describes it, and that part's folder.
Found = tuple[ShardEntry, Path]


def merge(out: Path, parts: Sequence[Path]) -> Manifest:
    """Join the folders `parts` into the data set `out`; its bytes are those of one build.

    Every shard is compared with the SHA-256 that its part has recorded, then linked into `out`, or
    copied where the parts lie on another disk. The parts stay as they are. A merge that was cut
    off goes on when it is called again.

    Raises:
        UserError: A folder is no finished part, or of another build; shards are missing, damaged,
            or in two parts and different; `out` holds another data set, or is a file; the disk
            is full.
    """
    plan, found = _read_parts(out.resolve().name, parts)
    make_folder(out)
    with locked(out, "merging into"):
        try:
            if is_finished(out, plan, "merge into an empty folder"):
                remove_finished_plan(out)
                _check(out)
            else:
                write_manifest(plan, out / PLAN)
                results = _bring(out, plan, [found[entry.file] for entry in plan.shards])
                finish(with_results(plan, results), out)
        finally:
            remove_leftovers(out)
    return read_manifest(out / MANIFEST)


def _check(out: Path) -> None:
    """Compare the shards of a set that was merged before; UserError where one is damaged."""
    manifest = read_manifest(out / MANIFEST)
    for entry in manifest.shards:
        if fault := file_fault(out / entry.file, entry, manifest):
            raise UserError(f"{out}: {fault.text}; remove {entry.file} and merge again")


def _read_parts(name: str, parts: Sequence[Path]) -> tuple[Manifest, dict[str, Found]]:
    """Return the plan of the set `name`, which the parts have in common, and their shards."""
    common: Manifest | None = None
    found: dict[str, Found] = {}
    seen: set[Part] = set()
    for folder in parts:  # one by one, for each has the whole plan
        plan, part = _read_part(folder)
        bare = _bare(plan, name)
        common = common or bare
        if bare != common:
            raise UserError(
                f"{folder} is a part of another data set than {parts[0]}: it differs in "
                f"{difference(common, bare)}"
            )
        seen.add(part)
        _collect(folder, plan, found)
    if common is None:
        raise UserError("no parts are named: name the folders that generator build --only made")
    missing = [entry.file for entry in common.shards if entry.file not in found]
    if missing:
        more = f" and {len(missing) - _NAMED:,} more" if missing[_NAMED:] else ""
        raise UserError(
            f"no part has {', '.join(missing[:_NAMED])}{more}; {_absent(seen)}, and name all parts"
        )
    return common, found


def _read_part(folder: Path) -> tuple[Manifest, Part]:
    try:
        plan = read_manifest(folder / PLAN)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{folder} has no {PLAN}: name the folders of parts that generator build --only made"
        ) from None
    if plan.part is None:
        raise UserError(f"{folder} is a whole build that was cut off: run its command again")
    if not is_finished_part(plan):
        raise UserError(
            f"{folder} is not finished: run its command, with --only {plan.part}, again"
        )
    return plan, Part.parse(plan.part)


def _bare(plan: Manifest, name: str) -> Manifest:
    """Return what the plan of a part has in common with those of the others."""
    shards = [dataclasses.replace(e, sha256=None, json_sums=None) for e in plan.shards]
    return dataclasses.replace(plan, name=name, shards=shards, part=None)


def _collect(folder: Path, plan: Manifest, found: dict[str, Found]) -> None:
    """Add the shards of a part to `found`; UserError where another part has others."""
    for entry in plan.shards:
        if entry.sha256 is None:
            continue
        other, where = found.setdefault(entry.file, (entry, folder))
        if other != entry:
            raise UserError(
                f"{entry.file} differs in {where} and {folder}, though both are of one plan: one "
                "machine has computed wrongly; build both parts again"
            )


def _absent(seen: set[Part]) -> str:
    """Say which parts are to be built, where all that there are are of one division."""
    divisions = {part.of for part in seen}
    if len(divisions) > 1:
        return "build the other parts, too"
    of = divisions.pop()
    absent = [str(n) for n in range(1, of + 1) if Part(n, of) not in seen]
    return f"build part {', '.join(absent)} of {of}"


def _bring(out: Path, plan: Manifest, found: Sequence[Found]) -> list[Result]:
    def bring(shard: Found) -> Result:
        entry, part = shard
        there = (out / entry.file).exists()
        path = (out if there else part) / entry.file
        if not path.exists():
            raise UserError(f"{path} is missing: run the command of that part again")
        if fault := file_fault(path, entry, plan):
            raise UserError(f"{path.parent}: {fault.text}; remove it and build that part again")
        if not there:
            _link(path, out / entry.file)
        return entry, histograms(Shard(path).digits)

    with progress("shards") as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            return list(bar.track(pool.map(bring, found), len(found), description="merge"))
        finally:
            pool.shutdown(cancel_futures=True)  # after an error, and Ctrl-C, too


def _link(path: Path, to: Path) -> None:
    with replacement(to) as temporary:
        try:
            os.link(path, temporary)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            shutil.copyfile(path, temporary)
