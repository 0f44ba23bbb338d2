"""Bring a data set here whole: every shard hash-checked, the manifest last."""

import threading
from collections.abc import Sequence
from pathlib import Path

from shards.card import write_card
from shards.errors import UserError
from shards.files import make_folder, refuse_file, replacing, told_when_full
from shards.inventory import sha256
from shards.lock import locked
from shards.manifest import MANIFEST, ShardEntry, read_manifest
from shards.preview import save_preview
from shards.reader import DataSet
from shards.remote.ahead import Ahead
from shards.remote.fetch import fetch_shard
from shards.remote.index import Index, require_index
from shards.remote.place import Place, is_url
from shards.terminal import progress


def pull(url: str | Path, folder: Path) -> int:
    """Fetch the data set at `url`, a compact one unpacked, into `folder`; return new shards.

    folder: new, or of the same set: of a pull that was cut, or of a version that this one has
    grown from. Shards that are there are kept where they have the right bytes. Until manifest.json
    is there, which comes last, it is no data set.

    Raises UserError where either is a file, where `folder` holds anything else under the names of
    this set, where another process pulls into it, and where a shard cannot be fetched; the same
    call then goes on.
    """
    if not is_url(url):
        refuse_file(Path(url), "name the folder of a data set")
    place = Place(url)
    index = require_index(place)
    make_folder(folder)
    with locked(folder, "pulling into"):
        missing = _missing(folder, index)
        _fetch_all(place, index, missing, folder)
        _finish(folder, index)
    return len(missing)


def _missing(folder: Path, index: Index) -> list[ShardEntry]:
    """List the shards that `folder` lacks; UserError for a file of their names with other bytes."""
    _refuse_another(folder, index)
    entries = index.manifest.shards
    there = [entry for entry in entries if (folder / entry.file).exists()]
    with progress("shards") as bar:
        for entry in bar.track(there, len(there), description="checking"):
            if sha256(folder / entry.file) != entry.sha256:
                raise UserError(
                    f"{folder / entry.file} is not that of {index.manifest.name} "
                    f"{index.manifest.version}: remove it, or pull into an empty folder"
                )
    here = {entry.file for entry in there}
    return [entry for entry in entries if entry.file not in here]


def _refuse_another(folder: Path, index: Index) -> None:
    try:
        here = read_manifest(folder / MANIFEST)
    except FileNotFoundError:
        return
    if not index.holds(here):
        raise UserError(
            f"{folder} holds {here.name} {here.version}, which is no part of "
            f"{index.manifest.name} {index.manifest.version}: pull into an empty folder"
        )


def _fetch_all(place: Place, index: Index, entries: Sequence[ShardEntry], folder: Path) -> None:
    failed = threading.Event()
    threads = Ahead(lambda entry, _: _fetch(place, index, entry, folder, failed))
    futures = threads.want(entries, [])
    with progress("shards") as bar:
        try:
            for future in bar.track(futures.values(), len(futures), description="fetching"):
                future.result()
        except Exception:  # not Ctrl-C, which ends the process and so the threads
            failed.set()
            threads.stop()
            raise


def _fetch(
    place: Place, index: Index, entry: ShardEntry, folder: Path, stop: threading.Event
) -> None:
    part = folder / f".{entry.file}.part"
    with told_when_full(folder / entry.file):
        fetch_shard(place, entry, index.wire(entry), part, stop.is_set)
        part.replace(folder / entry.file)


def _finish(folder: Path, index: Index) -> None:
    """Make card and picture, which no hash vouches for, from what was fetched; then the end."""
    manifest = index.manifest
    write_card(manifest, folder)
    save_preview(DataSet(folder, manifest))
    with replacing(folder / MANIFEST) as file:
        file.write(index.text)
