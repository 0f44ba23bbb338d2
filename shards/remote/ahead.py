"""Threads that fetch shards before they are asked for."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from shards.manifest import ShardEntry

_THREADS = 4


class Ahead:
    """Runs `fetch(entry, demanded)` for the shards that are wanted, in order, a few at a time.

    The threads are daemons: they hold up no process that ends, and what they leave half fetched
    goes on the next time.
    """

    def __init__(self, fetch: Callable[[ShardEntry, bool], None]) -> None:
        self._fetch = fetch
        self._queue: list[tuple[ShardEntry, Future[None], bool]] = []
        self._running: dict[str, tuple[Future[None], bool]] = {}  # by file
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def want(
        self, now: Sequence[ShardEntry], then: Sequence[ShardEntry]
    ) -> dict[str, Future[None]]:
        """Fetch the shards `now`, then those `then`, and drop what was waiting in the queue.

        Returns what `now` is done by: its exception is that of the fetch.
        """
        with self._changed:
            self._start()
            futures: dict[str, Future[None]] = {}
            self._queue = []
            for entry, demanded in [(e, True) for e in now] + [(e, False) for e in then]:
                running = self._running.get(entry.file)
                # A fetch ahead may give up where one on demand would wait: it does not count.
                if running and (running[1] or not demanded):
                    futures[entry.file] = running[0]
                    continue
                future: Future[None] = Future()
                futures[entry.file] = future
                self._queue.append((entry, future, demanded))
            self._changed.notify_all()
        return {entry.file: futures[entry.file] for entry in now}

    def stop(self) -> None:
        """Drop what is waiting, and return when nothing is being fetched any more."""
        with self._changed:
            self._queue = []
            while self._running:
                self._changed.wait()

    def _start(self) -> None:
        while len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._work, name="fetch", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                entry, future, demanded = self._queue.pop(0)
                self._running[entry.file] = (future, demanded)
            try:
                self._fetch(entry, demanded)
            except BaseException as error:  # noqa: BLE001  # whoever waits for it raises it
                future.set_exception(error)
            else:
                future.set_result(None)
            finally:
                with self._changed:
                    if self._running.get(entry.file, (None,))[0] is future:
                        del self._running[entry.file]
                        self._changed.notify_all()
