"""A data set that is read from elsewhere while it comes."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shards.errors import UserError
from shards.files import allow_open_files, told_when_full
from shards.inventory import sha256
from shards.manifest import ShardEntry
from shards.reader import DataSet, Shard
from shards.remote.ahead import Ahead
from shards.remote.cache import GIGABYTES, Cache
from shards.remote.fetch import fetch_shard
from shards.remote.index import require_index
from shards.remote.place import Place
from shards.terminal import progress


class Streamed(DataSet):
    """A data set at a URL: its shards are fetched when, and before, they are needed.

    They come into a cache, hash-checked. Those that the last call has needed cannot be removed
    from it; those that follow them in their split are fetched ahead, as far as there is room.
    """

    def __init__(self, url: str, cache: Cache | None = None) -> None:
        """Fetch the manifest; UserError where there is none, or it is damaged.

        cache: that of the user, if none is given.
        """
        self._place = Place(url)
        self._index = require_index(self._place)
        self._cache = cache or Cache.of_user()
        super().__init__(self._cache.folder, self._index.manifest)
        self.where = self._place.name
        allow_open_files(2 * len(self.manifest.shards))  # each mapped, and held by its lock
        self._held: dict[str, BinaryIO] = {}
        self._sound: set[str] = set()  # what has had the right SHA-256 in this process
        self._window = threading.Lock()
        self._ahead = Ahead(self._fetch)

    def ready(self, split: str) -> int:
        """Return all that `split` has: whatever is not here yet is fetched when it is gathered."""
        return self.count(split)

    def at_hand(self, split: str) -> int:
        """Return how many samples the first shard of `split` has: no more is fetched to look."""
        self._starts_of(split)
        return next((entry.count for entry in self._entries[split]), 0)

    def file(self, entry: ShardEntry) -> Path:
        """Fetch a shard, then begin with those that follow it; return its path in the cache."""
        place = self.manifest.shards.index(entry)
        self._need([entry], self.manifest.shards[place + 1 :])
        return self._cache.path(entry)

    def prepare(self, split: str, indices: np.ndarray) -> None:
        """Fetch the shards of these samples, then begin with those that follow them.

        indices: integers within the split, of any shape. UserError where the cache cannot hold
        them at once, and where one cannot be fetched.
        """
        self._bring(split, indices, shown=True)

    def gather(
        self, split: str, indices: np.ndarray, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gather as `DataSet.gather` does, after what `prepare` does where that is needed."""
        numbers = set(self._locate(split, indices)[0].tolist())
        if not all(self._entries[split][number].file in self._shards for number in numbers):
            self._bring(split, np.asarray(indices), shown=False)
        return super().gather(split, indices, out)

    def ready_shards(self, split: str) -> list[Shard]:
        """Open the shards of `split` that are in the cache and in use: after `prepare`, those."""
        self._starts_of(split)
        return [self._shards[e.file] for e in self._entries[split] if e.file in self._shards]

    def _bring(self, split: str, indices: np.ndarray, shown: bool) -> None:
        """Have the shards of these samples, and begin with those after them; see `_need`."""
        numbers = np.unique(self._locate(split, indices.reshape(-1))[0]).tolist()
        entries = self._entries[split]
        later = entries[numbers[-1] + 1 :] if numbers else []
        self._need([entries[number] for number in numbers], later, shown)

    def _need(
        self, now: Sequence[ShardEntry], later: Sequence[ShardEntry], shown: bool = False
    ) -> None:
        """Have the shards `now` in the cache, mapped and held, and no others.

        Then those of `later` begin to come, as many as there is room for beside them. shown: by a
        bar, of which a terminal has one at a time.
        """
        total = sum(entry.bytes for entry in now)
        if total > self._cache.limit:
            raise UserError(
                f"{len(now)} shards of {self.where} are needed at once, {total / 1e9:.3g} GB, and "
                f"the cache holds {self._cache.limit / 1e9:.3g}: set {GIGABYTES} higher, or train "
                "with fewer --epoch-images"
            )
        room, ahead = self._cache.limit - total, []
        for entry in later:
            room -= entry.bytes
            if room < 0:
                break
            ahead.append(entry)
        with self._window:
            self._release({entry.file for entry in now})
            missing = [entry for entry in now if entry.file not in self._held]
            while missing:
                self._wait(missing, ahead, shown)
                missing = [entry for entry in missing if not self._hold(entry)]
            self._ahead.want([], [entry for entry in ahead if not self._cache.has(entry)])

    def _wait(self, now: Sequence[ShardEntry], then: Sequence[ShardEntry], shown: bool) -> None:
        absent, after = ([e for e in some if not self._cache.has(e)] for some in (now, then))
        futures = self._ahead.want(absent, after)
        if not shown:
            for future in futures.values():
                future.result()
            return
        with progress("shards") as bar:
            for future in bar.track(futures.values(), len(futures), description="fetching"):
                future.result()

    def _hold(self, entry: ShardEntry) -> bool:
        file = self._cache.hold(entry)
        if file is None:  # removed by another process, which had more need of the room
            return False
        if entry.file not in self._sound and sha256(self._cache.path(entry)) != entry.sha256:
            file.close()
            self._cache.drop(entry)
            return False
        self._sound.add(entry.file)
        self._held[entry.file] = file
        self._shards[entry.file] = Shard(self._cache.path(entry))
        return True

    def _release(self, kept: set[str]) -> None:
        for name in self._held.keys() - kept:
            self._held.pop(name).close()
            self._shards.pop(name, None)

    def _fetch(self, entry: ShardEntry, demanded: bool) -> None:
        wire = self._index.wire(entry)

        def load(part: Path) -> None:
            fetch_shard(self._place, entry, wire, part)
            self._sound.add(entry.file)

        with told_when_full(self._cache.path(entry)):
            self._cache.add(entry, load, wait=demanded)
