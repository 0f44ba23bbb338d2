"""A folder elsewhere, by its URL: pieces of its files, and files put there, through fsspec."""

import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from shards.errors import UserError
from shards.files import replacing
from shards.remote.retry import persistently

STALL = 30.0  # seconds for one piece of a file, then the line counts as dead
_THREADS = 4
_BUCKETS = ("s3", "s3a", "gs", "gcs", "az", "abfs")  # no folders; a mistyped bucket is not made
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # no drive of Windows has two letters
_USER = re.compile(r"^([^/@]*|[^@]*:[^@]*)@")  # also of a password with a slash in it
_EXTRAS = {"http": "remote", "https": "remote", "hf": "remote", "s3": "s3", "gs": "gs", "gcs": "gs"}


def is_url(place: str | Path) -> bool:
    """Whether `place` is a URL, not a path."""
    return isinstance(place, str) and _SCHEME.match(place) is not None


def redacted(place: str | Path) -> str:
    """Return `place` as it may be shown: of a URL neither user, password, query nor fragment."""
    match = _SCHEME.match(place) if isinstance(place, str) else None
    if not match:
        return str(place)
    if "::" in str(place):
        return f"{match[0]}..."
    rest, question, _ = str(place)[match.end() :].partition("#")[0].partition("?")
    shown = _USER.sub("", rest)
    return f"{match[0]}{shown}{question and '?...'}"


class Place:
    """A folder elsewhere, or on this machine.

    name: how it is shown to people, without secrets.
    """

    def __init__(self, url: str | Path) -> None:
        """Open the folder at `url`; nothing is fetched yet.

        A query, like a token, goes with every file. Raises UserError for a scheme that is not
        known, or whose package is not installed.
        """
        self.name = redacted(url).rstrip("/")
        base, question, query = str(url).partition("?") if is_url(url) else (str(url), "", "")
        self._query = question + query
        self.scheme = match[1].lower() if (match := _SCHEME.match(base)) else "file"
        self._fs, root = _filesystem(base, self.scheme, self.name)
        self._root = root.rstrip("/")

    def read(self, file: str, start: int, stop: int) -> bytes:
        """Return the bytes `start` to `stop` - 1 of a file, fewer at its end.

        A server that knows no ranges gives the whole file: then the rest of it from `start` on.
        Raises whatever the filesystem raises; TimeoutError after STALL seconds.
        """
        # The others open the file, and would read 5 MB ahead.
        more = {} if self._fs.async_impl else {"cache_type": "none"}
        data: bytes = self._call("_cat_file", self._path(file), start=start, end=stop, **more)
        return data[start:] if len(data) > stop - start else data

    def size(self, file: str) -> int | None:
        """Return how many bytes a file has, None where there is none, or where it is not told."""

        def attempt(_: int) -> int | None:
            try:
                size: int | None = self._call("_info", self._path(file))["size"]
            except FileNotFoundError:
                return None
            return size

        return persistently(f"{self.name}/{file}", attempt)

    def put(self, files: Mapping[str, Path]) -> None:
        """Put files of this machine there, by their names there; folders are made where needed.

        UserError where that fails again and again, or one has another size there afterwards.
        """
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(self._put, files.values(), files):
                pass

    def _put(self, path: Path, file: str) -> None:
        persistently(f"{self.name}/{file}", lambda _: self._put_once(path, self._path(file)))
        size, right = self.size(file), path.stat().st_size
        if size not in (None, right):
            raise UserError(f"{self.name}/{file} has {size} bytes, not {right}: push again")

    def _put_once(self, path: Path, target: str) -> None:
        if self.scheme not in _BUCKETS:
            self._fs.makedirs(self._fs._parent(target), exist_ok=True)
        if self.scheme != "file":
            self._fs.put_file(str(path), target)
            return
        with replacing(Path(target)) as file, path.open("rb") as source:
            shutil.copyfileobj(source, file)

    def _path(self, file: str) -> str:
        return f"{self._root}/{file}{self._query}"

    def _call(self, method: str, *args: Any, **options: Any) -> Any:
        if not self._fs.async_impl:  # these have limits of their own
            return getattr(self._fs, method.removeprefix("_"))(*args, **options)
        from fsspec.asyn import sync

        return sync(self._fs.loop, getattr(self._fs, method), *args, timeout=STALL, **options)


def _filesystem(base: str, scheme: str, name: str) -> tuple[Any, str]:
    if "::" in base:
        raise UserError(f"{name} is several URLs in one: name one folder")
    try:
        from fsspec.core import url_to_fs

        found: tuple[Any, str] = url_to_fs(base)
    except ImportError:
        extra = _EXTRAS.get(scheme)
        install = f"pip install 'digit-readers[{extra}]'" if extra else "its package of fsspec"
        raise UserError(f"{scheme}:// needs a package that is not installed: {install}") from None
    except ValueError:
        raise UserError(
            f"{name} has a scheme that fsspec does not know: use http, https, s3, gs or hf"
        ) from None
    return found
