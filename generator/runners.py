"""Who builds shards: this process, or several of this machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from generator.shard_job import ShardJob, names
from generator.workers import DeadWorkerError, run_jobs
from shards.errors import UserError
from shards.finish import Result
from shards.manifest import ShardEntry


class Runner(Protocol):
    """Builds shards, in any order, and passes on the result of each as it comes."""

    def __call__(
        self, job: ShardJob, entries: Sequence[ShardEntry], done: Callable[[Result], None]
    ) -> None:
        """Build `entries` by `job`; raises what `job.build` does, and UserError for lost help."""


@dataclass(frozen=True)
class Processes:
    """Builds shards in `count` processes, or in this one where that is 1."""

    count: int

    def __call__(
        self, job: ShardJob, entries: Sequence[ShardEntry], done: Callable[[Result], None]
    ) -> None:
        """See `Runner`."""
        if self.count <= 1:
            for entry in entries:
                done(job.build(entry))
            return
        try:
            run_jobs(job.alone, entries, self.count, done)
        except DeadWorkerError as died:
            entry = died.job
            keys = range(entry.first_key, entry.first_key + entry.count)
            raise UserError(
                f"a worker {died.how} at {entry.file}, {names(keys)}; finished shards stay, and "
                "the same command goes on, with fewer workers if memory was short"
            ) from None
