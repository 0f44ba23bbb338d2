"""Looks at every picture of a folder, alone and beside the others and a bank."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.bank import Bank
from generator.doctor.compare import compare
from generator.doctor.finding import KINDS, Finding
from generator.doctor.picture import Picture, look
from generator.sources.folder import printable
from shards.errors import UserError
from shards.pictures import DIGITS, pictures_in
from shards.terminal import progress


@dataclass(frozen=True)
class Report:
    """What a folder holds: `findings` by kind, worst first, in the order of `finding.KINDS`."""

    folder: Path
    files: int
    pictures: list[Picture]  # those that can be read
    digits: list[int]  # how many of each, 0 to 9
    writers: dict[str, int]  # how many by each
    findings: list[Finding]


def examine(folder: Path, bank: Bank) -> Report:
    """Examine a folder of <digit>/<writer>_<n>.png beside the digits of a bank.

    Raises:
        UserError: The folder is none, or holds no picture of a digit.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name one that holds <digit>/<writer>_<n>.png")
    paths, misplaced = _files(folder)
    pictures: list[Picture] = []
    findings = list(misplaced)
    with progress("pictures") as bar:
        task = bar.add_task(folder.name, total=len(paths))
        for path in paths:
            seen = look(path)
            if isinstance(seen, Finding):
                findings.append(seen)
            else:
                pictures.append(seen)
                findings += seen.findings
            bar.advance(task)
    if not pictures:
        raise UserError(f"{folder} holds no digits; put pictures there as <digit>/<writer>_<n>.png")
    findings += _polarities(pictures)
    findings += compare(pictures, bank)
    labels = Counter(picture.label for picture in pictures)
    writers = Counter(picture.writer for picture in pictures)
    digits = [labels[digit] for digit in DIGITS]
    files = len(paths) + len(misplaced)
    return Report(folder, files, pictures, digits, dict(writers), _sort(findings))


def _files(folder: Path) -> tuple[list[Path], list[Finding]]:
    """The pictures in their places, and all files that are not."""
    inside = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    paths = [path for digit in DIGITS for path in pictures_in(folder / str(digit))]
    known = set(paths)
    rest = [p for p in inside if p not in known and p.suffix not in (".md", ".txt", ".json")]
    hint = "a bank takes <digit>/<writer>_<n>.png alone"
    return paths, [
        Finding(printable(path), "misplaced", hint) for path in rest if path.name[0] != "."
    ]


def _polarities(pictures: list[Picture]) -> Iterator[Finding]:
    dark = sum(picture.dark for picture in pictures)
    most = dark * 2 >= len(pictures)
    for picture in pictures:
        if picture.dark != most:
            ink = "dark on light" if picture.dark else "light on dark"
            yield Finding(picture.path, "polarity", f"{ink}, unlike most of the folder")


def _sort(findings: list[Finding]) -> list[Finding]:
    order = list(KINDS)
    return sorted(findings, key=lambda f: (order.index(f.kind), -f.score, str(f.path)))
