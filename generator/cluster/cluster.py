"""Builds shards by tasks of a Ray cluster: a task that is lost with its node runs on another."""

import hashlib
import io
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from generator.cluster.parcel import Parcel, pack
from generator.cluster.session import connected, first_line
from generator.plan import tools
from generator.shard_job import ShardJob
from generator.workers import Failure, attempt, result_of
from shards.errors import UserError
from shards.files import replacing
from shards.finish import Result
from shards.manifest import PLAN, ShardEntry

# How many nodes a task may lose before it counts as what kills them.
_RETRIES = 20
# Shards that are under way at once, for each core: one is built, one waits for a core or for us.
_AHEAD = 2

# Of a task: what it built, and its bytes, uint8 (n,), where they are not in their folder already.
Answer = tuple[Result, np.ndarray | None]


@dataclass(frozen=True)
class Cluster:
    """Builds shards by tasks of a Ray cluster, one on each core.

    At most two shards a core are under way, in the object stores of their nodes, and one at a time
    in this process. The nodes need the versions of `plan.tools`, which each task checks. They find
    the bank at its path or get it through the object store, its SHA-256 checked.

    Attributes:
        address: "auto" for the cluster that this machine is a node of, HOST:PORT of its head, or
            "local" for one of this machine alone, which ends with the build.
        shared: Whether all nodes see the job's folder, and write into it; else the shards come
            here through the object store, and this process writes them.
        tasks: Most of them under way, instead of two for each core; of a local cluster, its cores.
    """

    address: str
    shared: bool = False
    tasks: int | None = None

    def __call__(
        self, job: ShardJob, entries: Sequence[ShardEntry], done: Callable[[Result], None]
    ) -> None:
        """See `Runner`; UserError, too, where no cluster answers."""
        import ray

        with connected(self.address, self.tasks):
            parcel = ray.put(pack(job, _send))
            build = _build_there if self.shared else _build_apart
            task = ray.remote(max_retries=_RETRIES)(_task)
            submit = partial(task.remote, build, parcel, tools())
            for entry, answer in self._answers(submit, entries):
                result, data = result_of(answer)
                if data is not None:
                    _write(job.folder / entry.file, data, result[0])
                done(result)

    def _answers(
        self, submit: Callable[[ShardEntry], Any], entries: Sequence[ShardEntry]
    ) -> Iterator[tuple[ShardEntry, Answer | Failure]]:
        """Submit tasks, a bounded number ahead, and give their answers as they come."""
        import ray

        waiting = iter(entries)
        flying: dict[Any, ShardEntry] = {}
        while True:
            flying |= {submit(e): e for e in islice(waiting, self._room(len(flying)))}
            if not flying:
                return
            # Left where they are until their turn, they cannot fill this machine's memory.
            ready = ray.wait(list(flying), fetch_local=False)[0][0]
            entry = flying.pop(ready)
            yield entry, _fetch(ready, entry)

    def _room(self, flying: int) -> int:
        """How many tasks more may be under way; nodes come and go."""
        import ray

        cores = int(ray.cluster_resources().get("CPU", 0))
        most = (self.address != "local" and self.tasks) or max(2, _AHEAD * cores)
        return max(0, most - flying)


def _fetch(task: Any, entry: ShardEntry) -> Answer | Failure:
    """Return what a task has returned; UserError where it could not run at all."""
    import ray

    try:
        answer: Answer | Failure = ray.get(task)
    except ray.exceptions.RayError as error:
        raise UserError(
            f"the cluster could not build {entry.file} ({first_line(error)}); see that "
            "digit-readers is installed on every node; finished shards stay, and the same command "
            "goes on"
        ) from error
    return answer


def _task(
    build: Callable[[Parcel, ShardEntry], Answer],
    parcel: Parcel,
    wanted: dict[str, str],
    entry: ShardEntry,
) -> Answer | Failure:
    """What runs on a node: check that its bytes will be those of all others, and build."""

    def checked(entry: ShardEntry) -> Answer:
        if tools() != wanted:
            raise UserError(
                f"{platform.node()} has {_named(tools())}, this machine {_named(wanted)}: install "
                "the same versions on every node"
            )
        return build(parcel, entry)

    return attempt(checked, entry)


def _build_there(parcel: Parcel, entry: ShardEntry) -> Answer:
    """Build a shard in the folder that all machines see."""
    if not (parcel.folder / PLAN).exists():
        raise UserError(
            f"{platform.node()} does not see {parcel.folder} as it is here: name a folder that all "
            "nodes share, or leave out --shared"
        )
    return parcel.unpack().alone(entry), None


def _build_apart(parcel: Parcel, entry: ShardEntry) -> Answer:
    """Build a shard in memory, and return its bytes, uint8 (n,), too."""
    buffer = io.BytesIO()  # a file would outlive a task that is killed
    cv2.setNumThreads(0)
    result = parcel.unpack().build_into(buffer, entry)
    return result, np.frombuffer(buffer.getbuffer(), np.uint8)


def _write(path: Path, data: np.ndarray, entry: ShardEntry) -> None:
    if hashlib.sha256(data.data).hexdigest() != entry.sha256:
        raise UserError(f"{entry.file} came damaged from its node; the same command goes on")
    with replacing(path) as file:
        file.write(data.data)


def _send(data: np.ndarray) -> Callable[[], np.ndarray]:
    import ray

    # Within a partial, so that only a node that fetches it gets it.
    return partial(ray.get, ray.put(data))


def _named(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
