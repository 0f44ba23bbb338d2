"""How much of everything the benchmarks of a GPU do: in full, or a trial of the way."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of the work.

    Attributes:
        images: In train.
        held_out: In val, and in test.
        batches: By model, the sizes of a batch that are tried; the middle one is used throughout.
        seconds: Of one measurement.
        rounds: Measurements in turn of which the median counts.
        side: Of the square matrices that are multiplied.
        plain_batch: Images in a batch of the plain loop.
        workers: Processes that load for the plain loop; 0: none beside it.
        scheduled: Images that the reference's schedule presents.
        epochs: Parts in which they are presented, with a validation after each.
        scheduled_minutes: The most that this may take.
        compiled: Models that are also measured by torch.compile.
    """

    images: int
    held_out: int
    batches: dict[str, tuple[int, ...]]
    seconds: float
    rounds: int
    side: int
    plain_batch: int
    workers: int
    scheduled: int
    epochs: int
    scheduled_minutes: float
    compiled: tuple[str, ...]

    def usual_batch(self, model: str) -> int:
        """The batch of whatever is measured at one size alone."""
        sizes = self.batches[model]
        return sizes[len(sizes) // 2]


SCALES = {
    "full": Scale(
        images=120_000,
        held_out=3_000,
        batches={
            "optimized": (512, 1024, 2048),
            "base": (512, 1024, 2048),
            "nano": (1024, 4096, 8192),
            "lightweight": (1024, 2048, 4096),
        },
        seconds=1.0,
        rounds=3,
        side=8192,
        plain_batch=64,
        workers=8,
        scheduled=75 * 120_000,
        epochs=5,
        scheduled_minutes=2.5,
        compiled=("optimized", "nano"),
    ),
    "tiny": Scale(
        images=64,
        held_out=8,
        batches={"optimized": (2,), "nano": (4,)},
        seconds=0.01,
        rounds=1,
        side=64,
        plain_batch=8,
        workers=0,
        scheduled=16,
        epochs=2,
        scheduled_minutes=0.5,
        compiled=(),
    ),
}
