"""The sets of an adaptation, made by the command `generator` as a process of its own.

Numbers are composed by the generator, of which the trainer knows no more than its commands.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from shards.errors import UserError
from shards.reader import DataSet
from trainer.adapt.deal import Dealt

OWN, HELD_OUT, CHILD, WRITTEN = "own", "held-out-numbers", "child", "written"
_SHARD_SIZE = 10_000  # a few large shards: none of these sets is sent anywhere
# Numbers of these digits alone, unbroken, and of nothing beside them.
_ALONE = ("written=0", "doodled=0", "marked=0", "specked=0", "ruled=0", "scanned=0", "broken=0")


@dataclass(frozen=True)
class Sizes:
    """Images to train on, someone's own and others', and those of each test and each val."""

    own: int
    others: int
    test: int
    val: int


@dataclass(frozen=True)
class Sets:
    """`own` is someone's numbers to train on, `held_out` her test; `child` has all three splits.

    `child` and `written` are numbers of everyone else's, the standard tests.
    """

    own: DataSet
    held_out: DataSet
    child: DataSet
    written: DataSet


def compose(dealt: Dealt, out: Path, sizes: Sizes, seed: int) -> Sets:
    """Build the four sets in `out`, or take what the same command has built there before.

    `own` is by the recipe child, with less of what is not of these hands; `held_out` is of the
    pictures that were held out, and of nothing else. Raises UserError where `generator` does.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, digits, test in ((OWN, dealt.train, 0), (HELD_OUT, dealt.held_out, 1)):
        bank = ("--folder", digits, "--no-custom", "--val", 0, "--test", test)
        _generator("digits", out / f"{name}.h5", *bank)
    own, held_out = (("--bank", out / f"{name}.h5") for name in (OWN, HELD_OUT))
    _build(out / OWN, (sizes.own, 0, 0), seed, *own, *_set("written=0", "reference=0.1"))
    _build(out / HELD_OUT, (0, 0, sizes.test), seed, *held_out, *_set(*_ALONE, "reference=0"))
    _build(out / CHILD, (sizes.others, sizes.val, sizes.test), seed)
    _build(out / WRITTEN, (0, sizes.val, sizes.test), seed, "--preset", "written")
    return Sets(*(DataSet(out / name) for name in (OWN, HELD_OUT, CHILD, WRITTEN)))


def _build(out: Path, counts: tuple[int, int, int], seed: int, *more: object) -> None:
    train, val, test = counts
    sizes = ("--count", train, "--val", val, "--test", test, "--shard-size", _SHARD_SIZE)
    _generator("build", out, *sizes, "--seed", seed, *more)


def _set(*settings: str) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def _generator(*arguments: object) -> None:
    """Run the command; its progress is shown to a person, its error raised as ours."""
    command = [sys.executable, "-m", "generator", *map(str, arguments)]
    errors = None if sys.stderr.isatty() else subprocess.PIPE
    done = subprocess.run(  # noqa: S603  (this Python, and arguments that no shell reads)
        command, stdout=subprocess.DEVNULL, stderr=errors, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or "its error is above").strip()
        raise UserError(f"generator {arguments[0]} failed: {said.removeprefix('error: ')}")
