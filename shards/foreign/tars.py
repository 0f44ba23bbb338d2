"""Tars that others made, in folders or at URLs, gzipped or not: each as a plain file here."""

import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shards.errors import UserError
from shards.files import told_when_full
from shards.manifest import SPLITS
from shards.remote.place import is_url, redacted

_SPLIT = re.compile(r"(train|val|dev|test|eval)(ing|idation|uation)?(set|data)?(?![a-z])")
_SPLIT_NAMES = {"dev": "val", "eval": "test"}
_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20
_MOST = 100  # times as large a gzipped tar of pictures may become; zeros become 1,000 times


@dataclass(frozen=True)
class Tar:
    """A tar: its name as it was given, without secrets; its split; and where its bytes lie."""

    name: str
    split: str
    path: Path


def find_tars(places: Sequence[str | Path], default: str) -> list[tuple[str | Path, str]]:
    """List the tars among `places`, URLs too, and under the folders among them, with their splits.

    The split is that which the file's or a folder's name begins with, the nearest counts, or
    `default`; of a file that is named itself its folder counts, if it is called train, test or
    the like and no more. What is named twice is taken once. In the order of SPLITS, then of
    their names. UserError where there is none.
    """
    if default not in SPLITS:
        raise UserError(f"split {default!r} is none of {', '.join(SPLITS)}")
    found: dict[str | Path, str] = {}
    seen: set[Path] = set()
    for place in places:
        if is_url(place):
            found[place] = _split(tuple(urlsplit(str(place)).path.split("/"))) or default
            continue
        path = Path(place)
        if not path.exists():
            raise UserError(f"{path} does not exist: name tars, or a folder of tars")
        tars = sorted({*path.rglob("*.tar*"), *path.rglob("*.tgz")}) if path.is_dir() else [path]
        if not tars:
            raise UserError(f"{path} holds no tar: name tars, or a folder of tars")
        for tar in tars:
            whole = tar.absolute()
            if whole.resolve() in seen:
                continue
            seen.add(whole.resolve())
            if path.is_dir():
                names = (path.resolve().name, *tar.relative_to(path).parts)
            else:  # of whose folder only the bare name of a split says anything
                beside = whole.parent.name.lower()
                names = (beside if _SPLIT.fullmatch(beside) else "", tar.name)
            found[tar] = _split(names) or default
    return sorted(found.items(), key=lambda item: (SPLITS.index(item[1]), str(item[0])))


def at_hand(place: str | Path, split: str, spare: Path) -> Tar:
    """Fetch and unpack a tar where that is needed, into the folder `spare`.

    Raises UserError where it cannot be fetched, is not sound gzip or would be over 100 times as
    large unpacked.
    """
    name, path = redacted(place), Path(place)
    if is_url(place):
        path = spare / f"{len(list(spare.iterdir())):06}.tar"
        _fetch(str(place), path)
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    if packed:
        plain = spare / f"{len(list(spare.iterdir())):06}.tar"
        _unpack(path, plain, name)
        if is_url(place):
            path.unlink()
            plain = plain.replace(path)
        path = plain
    return Tar(name, split, path)


def _split(names: tuple[str, ...]) -> str | None:
    for name in reversed(names):
        if match := _SPLIT.match(name.lower()):
            return _SPLIT_NAMES.get(match[1], match[1])
    return None


def _fetch(url: str, path: Path) -> None:
    from shards.remote.fetch import complete
    from shards.remote.place import Place

    base, question, query = url.partition("?")
    folder, _, file = base.rpartition("/")
    place = Place(folder + question + query)
    size = place.size(file)
    if size is None:
        raise UserError(f"{redacted(url)} is not there, or does not tell its size: check the URL")
    with told_when_full(path):
        complete(place, file, size, path)


def _unpack(path: Path, plain: Path, name: str) -> None:
    most = _MOST * path.stat().st_size
    try:
        with gzip.open(path) as source, told_when_full(plain), plain.open("wb") as target:
            while piece := source.read(_PIECE):
                target.write(piece)
                if target.tell() > most:
                    raise UserError(
                        f"{name} becomes over {_MOST} times as large unpacked: nothing of it is "
                        "read; unpack it yourself if you trust it"
                    )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{name} is no sound gzip ({error}): fetch it again") from error
