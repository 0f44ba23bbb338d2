"""Digits from a folder of pictures, laid out as <digit>/<writer>_<n>.png."""

from pathlib import Path

import numpy as np

from generator.glyph import from_ink
from generator.sources.digits import Digits, split_writers
from shards.canvas import crop_ink
from shards.errors import UserError
from shards.terminal import progress

CLASSES = range(10)


def read_folder(
    folder: Path, licence: str, val: float, test: float, without: frozenset[Path] = frozenset()
) -> Digits:
    """All digits of a folder; the writer of `7/anna_12.png` is `anna`.

    Args:
        folder: One folder for each digit, `0` to `9`, each with PNGs of any size and polarity.
        licence: Kept with the source.
        val: Share of the writers for validation, 0 to 1.
        test: Share of the writers for testing.
        without: Files that are left out, as absolute paths.

    Raises:
        UserError: No such folder, no pictures, a digit without any, or pictures that cannot be
            read: all of them are named.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name one that holds <digit>/<writer>_<n>.png")
    files = {digit: _pictures(folder / str(digit), without) for digit in CLASSES}
    if not any(files.values()):
        raise UserError(f"{folder} holds no digits; put pictures there as <digit>/<writer>_<n>.png")
    empty = [str(digit) for digit in CLASSES if not files[digit]]
    if empty:
        raise UserError(f"{folder} has no picture of the digit {', '.join(empty)}; add one of each")
    glyphs, labels, writers, bad = [], [], [], []
    with progress("digits") as bar:
        task = bar.add_task(folder.name, total=sum(map(len, files.values())))
        for digit, paths in files.items():
            for path in paths:
                bar.advance(task)
                try:
                    glyphs.append(from_ink(crop_ink(path)))
                except UserError as error:
                    bad.append(str(error))
                    continue
                labels.append(digit)
                writers.append(writer_of(path))
    if bad:
        lines = "\n  ".join(bad)
        raise UserError(f"{folder} has {len(bad)} unreadable pictures; mend or remove:\n  {lines}")
    return Digits(
        folder.resolve().name,
        licence,
        np.stack([image for image, _ in glyphs]),
        np.stack([offset for _, offset in glyphs]),
        np.array(labels, np.uint8),
        np.array(writers),
        split_writers(sorted(set(writers)), val, test),
    )


def _pictures(folder: Path, without: frozenset[Path]) -> list[Path]:
    return [path for path in sorted(folder.glob("*.png")) if path.resolve() not in without]


def writer_of(path: Path) -> str:
    """The name before the last `_`."""
    name, underscore, _ = path.stem.rpartition("_")
    return name if underscore else path.stem
