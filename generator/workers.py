"""Processes that work for this one, say which job failed, and never outlive it."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class DeadWorkerError(Exception):
    """A process ended in the middle of `job`; `how` says by which signal or exit code."""

    def __init__(self, job: Any, code: int) -> None:
        self.job = job
        by_signal = f"was killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else ""
        self.how = by_signal or f"exited with {code}"
        super().__init__(f"a worker {self.how}")


class RemoteError(Exception):
    """The traceback, in a worker, of the error that it causes here."""


def run_jobs(
    work: Callable[[Job], Result],
    jobs: Iterable[Job],
    count: int,
    done: Callable[[Result], None],
) -> None:
    """Call `work` with each job in `count` processes, and `done` here with each result as it comes.

    `work` goes to each process once, by pickle. On the first error, and on Ctrl-C, the processes
    are killed in the middle of what they do; so they are when this process ends, by `kill -9` too.

    Raises:
        DeadWorkerError: A process ended before its job did.
        Exception: Whatever `work` raised, with its traceback as the cause.
    """
    waiting = iter(jobs)
    crew: list[_Worker[Job, Result]] = []
    try:
        for job in islice(waiting, count):
            with _stops_held():
                crew.append(_Worker(work))
            crew[-1].give(job)
        busy = list(crew)
        while busy:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                result = worker.take()
                for job in islice(waiting, 1):
                    worker.give(job)
                    break
                else:
                    busy.remove(worker)
                done(result)
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            worker.process.join()


@dataclass(frozen=True)
class Failure:
    """What comes back, instead of a result, from where `work` raised."""

    error: Exception
    traceback: str


def attempt(work: Callable[[Job], Result], job: Job) -> Result | Failure:
    """Call `work`; what it raises is returned, so that it can travel."""
    try:
        return work(job)
    except Exception as error:  # noqa: BLE001 - `result_of` raises it
        return Failure(error, traceback.format_exc())


def result_of(answer: Result | Failure) -> Result:
    """Return the result, or raise the error, of what `attempt` has returned elsewhere."""
    if isinstance(answer, Failure):
        raise answer.error from RemoteError(answer.traceback)
    return answer


class _Worker(Generic[Job, Result]):
    """One process, seen from this one."""

    def __init__(self, work: Callable[[Job], Result]) -> None:
        # Spawned, since a fork after OpenCV has started threads may hang.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, job: Job) -> None:
        self.job = job
        with self._alive():
            self.connection.send(job)

    def take(self) -> Result:
        with self._alive():
            answer: Result | Failure = self.connection.recv()
        return result_of(answer)

    @contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, ConnectionError):
            self.process.join()
            raise DeadWorkerError(self.job, self.process.exitcode or 0) from None


@contextmanager
def _stops_held() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM to the end: a process half started could not be stopped.

    Processes that start in here never hear Ctrl-C: it is their parent who stops them.
    """
    # Only the main thread runs handlers; the mask would not be enough, for the signal goes to
    # another thread and the handler interrupts this one all the same.
    main = threading.current_thread() is threading.main_thread()
    held: list[int] = []
    stops = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = {stop: signal.signal(stop, lambda number, _: held.append(number)) for stop in stops}
    try:
        with _interrupts_blocked():
            yield
    finally:
        for stop, handler in before.items():
            signal.signal(stop, handler)
        for number in held[:1]:
            signal.raise_signal(number)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    if os.name == "nt":  # Windows has no signal masks
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # when it starts, it unblocks the signals of its thread
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(work: Callable[[Job], Result], connection: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = connection.recv()
        except (EOFError, ConnectionError):
            return  # the parent is gone
        connection.send(attempt(work, job))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
