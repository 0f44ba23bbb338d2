"""What a data set elsewhere holds, and in which files it travels."""

from dataclasses import dataclass
from functools import cached_property

from shards.compact import Packed, parse_compact
from shards.errors import UserError
from shards.manifest import COMPACT, MANIFEST, Manifest, ShardEntry
from shards.remote.place import Place
from shards.remote.retry import persistently

_MAX_BYTES = 1 << 26  # of a compact manifest, half as long again as a plain one


@dataclass(frozen=True)
class Index:
    """A data set as it lies somewhere.

    text: its manifest.json, byte for byte. packed: the files of a compact set, by the shards that
    they hold; {} where the shards lie there themselves.
    """

    manifest: Manifest
    text: bytes
    packed: dict[str, Packed]

    def has(self, entry: ShardEntry) -> bool:
        """Whether the very bytes of a shard are in it, under the same name."""
        return (entry.file, entry.sha256) in self._shards

    def holds(self, other: Manifest) -> bool:
        """Whether it has all shards of another manifest: it is that, or has grown from it."""
        return all(self.has(entry) for entry in other.shards)

    @cached_property
    def _shards(self) -> set[tuple[str, str | None]]:
        return {(entry.file, entry.sha256) for entry in self.manifest.shards}

    def wire(self, entry: ShardEntry) -> Packed:
        """Return the file in which a shard travels."""
        return self.packed.get(entry.file) or plain(entry)


def plain(entry: ShardEntry) -> Packed:
    """Return a shard's own file, as one in which it travels."""
    return Packed(entry.file, entry.bytes, entry.sha256 or "")


def read_index(place: Place) -> Index | None:
    """Read what is at `place`, a plain or a compact data set; None where there is neither.

    Raises UserError for a manifest that is damaged or not finished.
    """
    for name, parse in ((MANIFEST, _plain), (COMPACT, _compact)):
        text = read_text(place, name)
        if text is not None:
            return parse(text, f"{place.name}/{name}")
    return None


def require_index(place: Place) -> Index:
    """Do what `read_index` does; UserError where there is no data set."""
    index = read_index(place)
    if index is None:
        raise UserError(
            f"{place.name} is no data set: it has neither {MANIFEST} nor {COMPACT}; check the "
            "URL, or wait until it is pushed whole"
        )
    return index


def read_text(place: Place, name: str) -> bytes | None:
    """Return a manifest or a card there; None where there is none, UserError for a huge one."""

    def attempt(_: int) -> bytes | None:
        try:
            return place.read(name, 0, _MAX_BYTES + 1)
        except FileNotFoundError:
            return None

    text = persistently(f"{place.name}/{name}", attempt)
    if text is not None and len(text) > _MAX_BYTES:
        raise UserError(f"{place.name}/{name} has over {_MAX_BYTES:,} bytes: it is none of ours")
    return text


def _plain(text: bytes, where: str) -> Index:
    return Index(_manifest(text, where), text, {})


def _compact(text: bytes, where: str) -> Index:
    inner, packed = parse_compact(text, where)
    manifest = _manifest(inner, where)
    if list(packed) != [entry.file for entry in manifest.shards]:
        raise UserError(f"{where} packs other shards than its manifest has: push it again")
    for entry in manifest.shards:
        if packed[entry.file].bytes > entry.bytes + 1024:  # the cache has made room for the shard
            raise UserError(f"{where} has {entry.file} larger than unpacked: push it again")
    return Index(manifest, inner, packed)


def _manifest(text: bytes, where: str) -> Manifest:
    try:
        manifest = Manifest.from_json(text.decode(), where)
    except UnicodeDecodeError:
        raise UserError(f"{where} is not UTF-8 text: push the data set again") from None
    if manifest.part:
        raise UserError(
            f"{where} is the part {manifest.part} of a data set: merge and push it whole"
        )
    for entry in manifest.shards:
        if entry.sha256 is None:
            raise UserError(f"{where} has no SHA-256 of {entry.file}: push a finished data set")
    return manifest
