"""What one picture shows by itself, without any other: its ink, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from generator.doctor.finding import Finding
from generator.glyph import from_ink
from generator.sources.folder import name_fault, printable, read_glyph
from shards.canvas import crop_ink
from shards.drawing import read_grey
from shards.errors import UserError
from shards.pictures import writer_of

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

# Of 255: colours that differ less are one.
ONE_COLOUR = 32
# Ink on fewer pixels of an edge only touches it; on more than two edges it is a tight crop.
TOUCHING, TIGHT = 2, 3
# Parts of at least this share of the ink belong to the digit.
PART_OF_DIGIT = 0.08
# How much longer dirt may make the longer side.
LONGER = 1.12


@dataclass(frozen=True)
class Picture:
    """A readable picture of a digit.

    Attributes:
        glyph: uint8 (56, 56), as a bank would keep it, were there no strokes beside it.
        dark: whether its ink is darker than its paper.
        findings: what is wrong with it.
    """

    path: Path
    glyph: U8
    dark: bool
    findings: tuple[Finding, ...]

    @property
    def label(self) -> int:
        """The digit that its folder says."""
        return int(self.path.parent.name)

    @property
    def writer(self) -> str:
        """Who wrote it, as its name says."""
        return writer_of(self.path)


def look(path: Path) -> Picture | Finding:
    """Read a picture and look at it alone; a Finding where it shows no digit."""
    if fault := name_fault(path):
        return Finding(printable(path), "misplaced", fault)
    try:
        grey = np.asarray(read_grey(path), np.float32)
    except UserError as error:
        return Finding(path, "unreadable", str(error))
    try:
        ink = crop_ink(grey.astype(np.uint8))
    except UserError as error:
        return Finding(path, "empty", str(error))
    try:
        read_glyph(path)  # of the strokes beside it, where there are any
    except UserError as error:
        return Finding(path, "unreadable", str(error))
    paper = float(np.median(_border(grey)))
    dark = paper - grey.min() > grey.max() - paper
    findings = tuple(
        Finding(path, kind, reason, score)
        for kind, reason, score in (*_alpha(path), *_cropped(grey, paper), *_dirt(ink > 0))
    )
    return Picture(path, from_ink(ink)[0], bool(dark), findings)


Fault = tuple[str, str, float]


def _alpha(path: Path) -> Iterator[Fault]:
    with Image.open(path) as image:
        if not image.has_transparency_data:
            return
        pixels = np.asarray(image.convert("RGBA"))
    colours = pixels[pixels[..., 3] > 0][:, :3]
    if np.ptp(colours, axis=0).max() < ONE_COLOUR and np.ptp(pixels[..., 3]) >= ONE_COLOUR:
        yield "alpha", f"all its pixels have the colour {tuple(colours[0].tolist())}", 1.0


def _cropped(grey: F32, paper: float) -> Iterator[Fault]:
    contrast = np.abs(grey - paper)
    inked = contrast >= contrast.max() / 2
    edges = {"top": inked[0], "bottom": inked[-1], "left": inked[:, 0], "right": inked[:, -1]}
    cut = {name: int(edge.sum()) for name, edge in edges.items() if edge.sum() >= TOUCHING}
    if 0 < len(cut) < TIGHT:
        where = " and ".join(f"{name} ({px} px)" for name, px in cut.items())
        yield "cropped", f"ink at the {where} edge", float(max(cut.values()))


def _dirt(inked: Bools) -> Iterator[Fault]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inked.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    digit = np.flatnonzero(areas >= PART_OF_DIGIT * areas.sum()) + 1
    if not len(digit) or len(digit) == len(areas):
        return
    whole, alone = max(inked.shape), max(_sides(np.isin(labels, digit)))
    if whole > LONGER * alone:
        parts = len(areas) - len(digit)
        reason = f"{parts} specks or lines stretch it from {alone} to {whole} px"
        yield "dirt", reason, whole / alone


def _sides(mask: Bools) -> tuple[int, int]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def _border(grey: F32) -> F32:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
