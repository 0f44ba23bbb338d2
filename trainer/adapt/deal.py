"""Someone's digits, dealt picture by picture into those to train on and those to measure with.

A bank deals by writer, so that nobody is in two splits. Here the hands to be measured are the very
ones that are learned; what has to be kept apart is the pictures.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from shards.errors import UserError
from shards.pictures import DIGITS, is_png, pictures_in, strokes_beside, writer_of

HELD_OUT = 0.25  # of each writer's pictures of each digit


@dataclass(frozen=True)
class Dealt:
    """Two folders of <digit>/<writer>_<n>.png with copies, and the writers of the pictures."""

    train: Path
    held_out: Path
    writers: tuple[str, ...]

    def pictures(self, folder: Path) -> list[tuple[Path, int]]:
        """Return the pictures of one of the two folders, with their digits."""
        return [(path, digit) for digit in DIGITS for path in pictures_in(folder / str(digit))]


def deal(folder: Path, out: Path) -> Dealt:
    """Copy pictures of `folder` into its like in `<out>/train` and `<out>/held-out`, new folders.

    Of each writer's pictures of each digit a quarter is held out, at least one where there are
    two; which ones is decided by the pictures' bytes. Of identical pictures one is taken.
    The strokes beside a picture go with it.
    Raises UserError when there is no such folder, a picture that is no PNG, or a digit with fewer
    than two pictures.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name one that holds <digit>/<writer>_<n>.png")
    name = folder.resolve().name  # which a bank takes as that of the source
    found = [_distinct(folder / str(digit)) for digit in DIGITS]
    held = [
        path for digit, paths in enumerate(found) for path in _held_out(folder / str(digit), paths)
    ]
    every = [path for paths in found for path in paths]
    learned = sorted(set(every) - set(held))
    writers = tuple(sorted(set(map(writer_of, every))))
    dealt = Dealt(out / "train" / name, out / "held-out" / name, writers)
    for target, paths in ((dealt.train, learned), (dealt.held_out, held)):
        for path in paths:
            copy = target / path.parent.name / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            if strokes := strokes_beside(path):
                shutil.copyfile(strokes, copy.with_suffix(".json"))
    return dealt


def _distinct(folder: Path) -> list[Path]:
    """The pictures of one digit, in the order of their hashes."""
    found = pictures_in(folder)
    if others := [path for path in found if not is_png(path)]:
        raise UserError(f"{others[0]} is no PNG; save it as one, or take it away")
    paths = {_digest(path): path for path in reversed(found)}
    return [path for _, path in sorted(paths.items())]


def _held_out(folder: Path, pictures: list[Path]) -> list[Path]:
    by_writer: dict[str, list[Path]] = {}
    for path in pictures:
        by_writer.setdefault(writer_of(path), []).append(path)
    counts = {name: _quarter(len(paths)) for name, paths in by_writer.items()}
    if len(pictures) < 2:
        raise UserError(
            f"{folder} has {len(pictures)} different pictures of its digit, but two are needed, "
            "one to learn from and one to measure with; add some"
        )
    if not any(counts.values()):
        counts[min(counts)] = 1  # one picture by each of several writers
    return [path for name, paths in by_writer.items() for path in paths[: counts[name]]]


def _quarter(count: int) -> int:
    return max(1, round(HELD_OUT * count)) if count > 1 else 0


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
