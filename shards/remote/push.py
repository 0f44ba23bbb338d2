"""Send a data set elsewhere whole: every shard hash-checked, the manifest last, nothing deleted."""

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shards.card import CARD, card, is_ours
from shards.compact import Packed, compact_text, pack, packed_name
from shards.errors import UserError
from shards.files import refuse_file
from shards.inventory import file_fault
from shards.manifest import COMPACT, MANIFEST, ShardEntry
from shards.preview import PREVIEW
from shards.reader import DataSet
from shards.remote.fetch import PIECE, read_piece
from shards.remote.hub import open_place
from shards.remote.index import Index, plain, read_index, read_text
from shards.remote.place import Place, is_url
from shards.terminal import progress

_THREADS = 4
_BATCH = 32  # shards that go at once: to the Hub in one commit


@dataclass(frozen=True)
class Sent:
    """What a push has done: shards sent, shards that were there, and bytes there of all shards.

    card: whether the card was sent; not, where someone has written another one there.
    """

    sent: int
    kept: int
    bytes: int
    card: bool


def push(folder: Path, url: str | Path, packed: bool = False) -> Sent:
    """Send the finished data set in `folder` to `url`, as .tar.gz where `packed`.

    Shards that are there already, of this set or one that it has grown from, are kept; nothing is
    deleted, and no shard is overwritten by another. manifest.json (compact.json) goes last, so
    that what is cut is no data set, and the same call goes on.

    Raises UserError for a set that is not finished, or has a shard that is not its manifest's,
    before that is sent; and where `url` holds anything else, or is a file.
    """
    data, place = DataSet(folder), open_place(url)
    if not is_url(url):
        refuse_file(Path(url))
    if place.scheme in ("http", "https"):
        raise UserError(f"{place.name} takes no files: push to a folder, s3://, gs:// or hf://")
    if not (data.folder / MANIFEST).exists():
        raise UserError(f"{folder} is still being built: push it once it has a {MANIFEST}")
    text = (data.folder / MANIFEST).read_bytes()
    there = read_index(place)
    _refuse_another(place, Index(data.manifest, text, {}), there, packed)
    with tempfile.TemporaryDirectory(prefix="push-") as spare:
        job = _Push(data, place, there, packed, Path(spare))
        wires, sent = job.send_shards()
        card_sent = job.send_card()
        job.send_manifest(text, wires)
    size = sum(wire.bytes for wire in wires.values())
    return Sent(sent, len(wires) - sent, size, card_sent)


def _refuse_another(place: Place, own: Index, there: Index | None, packed: bool) -> None:
    if there is None:
        return
    if not own.holds(there.manifest):
        raise UserError(
            f"{place.name} holds {there.manifest.name} {there.manifest.version}, which is no part "
            f"of {own.manifest.name} {own.manifest.version}: name another place"
        )
    if bool(there.packed) != packed:
        form = "compact" if there.packed else "plain"
        option = f"{'with' if there.packed else 'without'} --compact"
        raise UserError(
            f"{place.name} holds it in the {form} form: name another place, or keep that form by "
            f"shards push {option}"
        )


@dataclass(frozen=True)
class _Push:
    data: DataSet
    place: Place
    there: Index | None
    packed: bool
    spare: Path

    def send_shards(self) -> tuple[dict[str, Packed], int]:
        """Send what is not there; return in which files all shards travel, and how many went."""
        entries = self.data.manifest.shards
        wires: dict[str, Packed] = {}
        sent = 0
        with progress("shards") as bar, ThreadPoolExecutor(_THREADS) as pool:
            task = bar.add_task("sending", total=len(entries))
            for start in range(0, len(entries), _BATCH):
                batch = entries[start : start + _BATCH]
                made = list(pool.map(self._ready, batch))
                absent = {wire.file: path for path, wire, there in made if not there}
                self.place.put(absent)
                for path in absent.values():
                    if self.packed:
                        path.unlink()
                wires |= {e.file: wire for e, (_, wire, _) in zip(batch, made, strict=True)}
                sent += len(absent)
                bar.advance(task, len(batch))
        return wires, sent

    def send_card(self) -> bool:
        """Send the card and the picture, unless someone has edited the card there.

        The card is that in the folder where it was edited, else one for the form that is sent.
        """
        there, own = read_text(self.place, CARD), self.data.folder / CARD
        text = own.read_bytes() if own.exists() else b""
        if not text or is_ours(text):
            text = card(self.data.manifest, ".tar.gz" if self.packed else ".tar").encode()
        if there not in (None, text) and not is_ours(there):
            return False
        (self.spare / CARD).write_bytes(text)
        files = {CARD: self.spare / CARD, PREVIEW: self.data.folder / PREVIEW}
        self.place.put({file: path for file, path in files.items() if path.exists()})
        return True

    def send_manifest(self, text: bytes, wires: dict[str, Packed]) -> None:
        """Send what makes it a data set."""
        name = COMPACT if self.packed else MANIFEST
        (self.spare / name).write_bytes(compact_text(text, wires) if self.packed else text)
        self.place.put({name: self.spare / name})

    def _ready(self, entry: ShardEntry) -> tuple[Path, Packed, bool]:
        """Check a shard and pack it, if asked; return its file, and whether it is there already."""
        path = self.data.folder / entry.file
        known = self.there.wire(entry) if self.there and self.there.has(entry) else None
        if known and self.place.size(known.file) == known.bytes:
            return path, known, True
        if not path.exists():
            raise UserError(f"{path} is missing: build or fetch it again before you push")
        if fault := file_fault(path, entry, self.data.manifest):
            raise UserError(f"{self.data.folder}: {fault.text}: nothing of it is sent")
        wire = plain(entry)
        if self.packed:
            path = self.spare / packed_name(entry.file)
            wire = pack(self.data.folder / entry.file, path)
        return path, wire, self._is_there(path, wire)

    def _is_there(self, path: Path, wire: Packed) -> bool:
        """Whether a cut push has sent this file; UserError where another has its name."""
        size = self.place.size(wire.file)
        if size is None:
            return False
        if size <= wire.bytes and self._digest(wire.file, size) == _digest_of(path, size):
            return size == wire.bytes
        raise UserError(
            f"{self.place.name}/{wire.file} is there, and not of this data set: name an empty "
            "place, or remove it there"
        )

    def _digest(self, file: str, size: int) -> str:
        """The SHA-256 of what is there, read back."""
        digest = hashlib.sha256()
        start = 0
        while start < size:
            piece = read_piece(self.place, file, start, min(start + PIECE, size))[: size - start]
            digest.update(piece)
            start += len(piece)
        return digest.hexdigest()


def _digest_of(path: Path, size: int) -> str:
    """The SHA-256 of the first `size` bytes of a file."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(size)).hexdigest()
