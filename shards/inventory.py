"""The files of a data set against its manifest: missing, too many, cut off, those of others."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from shards.layout import END_BYTES, KEY_DIGITS, RECORD_BYTES, part_at
from shards.manifest import PLAN, Manifest, ShardEntry, read_manifest
from shards.reader import Shard


@dataclass(frozen=True)
class FileFault:
    """What is wrong with a shard's file; `own`: it may still hold samples of that shard."""

    text: str
    own: bool


def folder_faults(folder: Path, manifest: Manifest) -> list[str]:
    """List the shards that are missing, and the files that belong to no build or to another.

    Shards of a plan beside the manifest are about to be added, and no fault.
    """
    known = {entry.file: entry for entry in manifest.shards}
    coming = _coming(folder)
    found = {
        path.name
        for pattern in ("*.tar", ".*.tmp")
        for path in folder.glob(pattern)
        if path.name.removeprefix(".").partition(".tar")[0] + ".tar" not in coming - known.keys()
    }
    missing = [f"{name} is missing, with {keys_of(known[name])}" for name in known.keys() - found]
    extra = [
        f"{name} is not in the manifest{_content(folder / name, manifest)}"
        for name in found - known.keys()
    ]
    return sorted(missing) + sorted(extra)


def _coming(folder: Path) -> set[str]:
    """Return the names of the shards of a plan, where there is one."""
    if not (folder / PLAN).exists():
        return set()
    return {entry.file for entry in read_manifest(folder / PLAN).shards}


def file_fault(path: Path, entry: ShardEntry, manifest: Manifest) -> FileFault | None:
    """Say in which way the file `path`, which exists, is not the one of `entry`; None if it is.

    Judged by size and SHA-256, where `entry` has one: a plan does not.
    """
    if not path.is_file():
        return FileFault(f"{entry.file} is no file", own=False)
    size = path.stat().st_size
    if size == entry.bytes and entry.sha256 is None:
        return None
    digest = sha256(path)
    if digest == entry.sha256:
        return None
    if owner := _owner(digest, manifest):
        bytes_of = f"the bytes of {owner.file}: {keys_of(owner)}, not {keys_of(entry)}"
        return FileFault(f"{entry.file} has {bytes_of}", own=False)
    found = f"SHA-256 {digest}, the manifest says {entry.sha256}"
    if size != entry.bytes:
        ends = _where_it_ends(size, entry)
        found = f"{size} bytes, the manifest says {entry.bytes}: {ends}"
    return FileFault(f"{entry.file} has {found}", own=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keys_of(entry: ShardEntry) -> str:
    """Name the samples of a shard: 'samples 000000030 to 000000061'."""
    return _span(entry.first_key, entry.first_key + entry.count - 1)


def _span(first: int, last: int) -> str:
    return f"samples {first:0{KEY_DIGITS}} to {last:0{KEY_DIGITS}}"


def _where_it_ends(size: int, entry: ShardEntry) -> str:
    if size > entry.bytes:
        return f"it goes on after sample {entry.first_key + entry.count - 1:0{KEY_DIGITS}}"
    whole, rest = divmod(size, RECORD_BYTES)
    if whole >= entry.count:
        return f"the {END_BYTES} zero bytes at its end are cut off"
    key = f"{entry.first_key + whole:0{KEY_DIGITS}}"
    return f"it is cut off in sample {key}, at its {part_at(rest)}"


def _owner(digest: str, manifest: Manifest) -> ShardEntry | None:
    return next((entry for entry in manifest.shards if entry.sha256 == digest), None)


def _content(path: Path, manifest: Manifest) -> str:
    """What a file that the manifest does not know holds, as the end of a sentence."""
    if not path.is_file() or path.suffix != ".tar":
        return ""
    size = path.stat().st_size
    if any(size == entry.bytes for entry in manifest.shards) and (
        owner := _owner(sha256(path), manifest)
    ):
        return f": it has the bytes of {owner.file}, {keys_of(owner)}"
    if size % RECORD_BYTES != END_BYTES or size == END_BYTES:
        return ": it is no shard"
    first, last = (bytes(key) for key in Shard(path).records["png header"]["key"][[0, -1]])
    return f": it has {_span(int(first), int(last))}" if (first + last).isdigit() else ""
