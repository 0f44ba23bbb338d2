"""Digits from a folder of pictures, laid out as <digit>/<writer>_<n>.png."""

import os
from pathlib import Path

import numpy as np

from generator.glyph import I8, U8, from_ink, from_strokes
from generator.sources.digits import Digits, split_writers
from shards.canvas import crop_ink
from shards.errors import UserError
from shards.pictures import DIGITS, is_png, pictures_in, strokes_beside, writer_of
from shards.strokes import read_drawing
from shards.terminal import progress


def read_folder(
    folder: Path, licence: str, val: float, test: float, without: frozenset[Path] = frozenset()
) -> Digits:
    """All digits of a folder; the writer of `7/anna_12.png` is `anna`.

    Where the strokes lie beside a picture, `7/anna_12.json`, the digit is made of them.

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
    files = {
        digit: [p for p in pictures_in(folder / str(digit)) if p.resolve() not in without]
        for digit in DIGITS
    }
    if not any(files.values()):
        raise UserError(f"{folder} holds no digits; put pictures there as <digit>/<writer>_<n>.png")
    empty = [str(digit) for digit in DIGITS if not files[digit]]
    if empty:
        raise UserError(f"{folder} has no picture of the digit {', '.join(empty)}; add one of each")
    glyphs, labels, writers, bad = [], [], [], []
    with progress("digits") as bar:
        task = bar.add_task(folder.name, total=sum(map(len, files.values())))
        for digit, paths in files.items():
            for path in paths:
                bar.advance(task)
                try:
                    glyphs.append(read_glyph(path))
                except UserError as error:
                    bad.append(str(error))
                    continue
                labels.append(digit)
                writers.append(writer_of(path))
    if bad:
        lines = "\n  ".join(bad)
        raise UserError(f"{folder} has {len(bad)} unreadable pictures; mend or remove:\n  {lines}")
    written = any(image is not hairline for image, _, hairline in glyphs)
    return Digits(
        folder.resolve().name,
        licence,
        np.stack([image for image, _, _ in glyphs]),
        np.stack([offset for _, offset, _ in glyphs]),
        np.array(labels, np.uint8),
        np.array(writers),
        split_writers(sorted(set(writers)), val, test),
        np.stack([hairline for _, _, hairline in glyphs]) if written else None,
    )


def read_glyph(path: Path) -> tuple[U8, I8, U8]:
    """The image (56, 56), offset (2,) and hairline (56, 56) of a picture's digit.

    Raises:
        UserError: It is no PNG, shows no ink or cannot be read, no more than the strokes beside it.
    """
    if fault := name_fault(path):
        raise UserError(f"{printable(path)} {fault}")
    strokes = strokes_beside(path)
    if strokes is None:
        image, offset = from_ink(crop_ink(path))
        return image, offset, image
    drawing = read_drawing(strokes)
    return from_strokes(drawing.strokes, drawing.pen)


def name_fault(path: Path) -> str | None:
    """Why no picture of that name is taken, or None."""
    if not is_png(path):
        return "is no PNG; save it as one"
    return None if printable(path) == path else "has a name that is not UTF-8; rename it"


def printable(path: Path) -> Path:
    """The path, bytes that are not UTF-8 in hexadecimal."""
    return Path(os.fsencode(path).decode("utf-8", "backslashreplace"))
