"""Lines of many numbers as ink on their canvases, each digit in a tile of its own."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from shards import canvas

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

FINER = 4  # drawn so much larger, then averaged
_FRACTION = 4  # bits of OpenCV's coordinates
_MARGIN = 2  # empty px on either side of a digit
# A wider blur could lift a pixel beside the ink over canvas.FAINT.
_SOFTEST = 1.8


@dataclass(frozen=True)
class Lines:
    """l lines with p points in all, the parts of d digits of n numbers."""

    x: F32  # (p,)
    y: F32  # (p,), down
    start: I64  # (l,), its first point
    digit: I64  # (l,), whose line
    owner: I64  # (d,), the number of each digit, sorted

    @cached_property
    def point(self) -> I64:
        """int64 (p,), the digit of each point."""
        return np.repeat(self.digit, np.diff(self.start, append=len(self.x)))

    @cached_property
    def number(self) -> I64:
        """int64 (p,), the number of each point."""
        return self.owner[self.point]

    def bounds(self) -> tuple[F32, F32]:
        """Least and greatest x and y, (2, n), of each number."""
        left, right = self._extremes(self.x, self.owner[self.digit])
        top, bottom = self._extremes(self.y, self.owner[self.digit])
        return np.stack([left, top]), np.stack([right, bottom])

    def sides(self) -> tuple[F32, F32]:
        """Least and greatest x (d,) of each digit."""
        return self._extremes(self.x, self.digit)

    def _extremes(self, values: F32, of: I64) -> tuple[F32, F32]:
        """Least and greatest of p values, by whose (l,) lines they belong to."""
        count = int(of.max()) + 1
        low, high = (np.full(count, far, np.float32) for far in (np.inf, -np.inf))
        np.minimum.at(low, of, np.minimum.reduceat(values, self.start))
        np.maximum.at(high, of, np.maximum.reduceat(values, self.start))
        return low, high


@dataclass(frozen=True)
class Tiles:
    """d digits in one strip on its side: across it lie the 32 rows of the canvas.

    strip: uint8 (r, 32). start: (d,), the first row of each digit. stop: (d,). column: (d,), the
    canvas column of that row.
    """

    strip: U8
    start: I64
    stop: I64
    column: I64


def radius(pen: F64) -> I64:
    """The radius of a pen `pen` px wide, in 1/FINER px: OpenCV's are 2 * radius + 1 wide."""
    return np.maximum(1, np.rint((pen * FINER - 1) / 2)).astype(np.int64)


def reach(radius: I64) -> F64:
    """How far ink may reach beyond a line, in px; OpenCV rounds the line's points."""
    return (radius + 1) / FINER


def ink(lines: Lines, radii: I64, softness: F32) -> Tiles:
    """Draw the digits of n numbers with round pens.

    Args:
        lines: Whose rows 0 to 32 are drawn.
        radii: int64 (n,), of the pens; see `radius`.
        softness: float32 (n,), px over which ink fades at its edge.
    """
    low, high = lines.sides()
    half = reach(radii[lines.owner])
    column = np.floor(low - half).astype(np.int64) - _MARGIN
    length = np.ceil(high + half).astype(np.int64) + _MARGIN - column
    stop = np.cumsum(length)
    start = stop - length
    strip = _draw(lines, start - column, radii, int(stop[-1]))
    firsts = np.searchsorted(lines.owner, np.arange(len(radii)))
    softness = np.minimum(softness, (2 * radii + 1) / FINER)
    return Tiles(_soften(strip, start[firsts], softness), start, stop, column)


def _draw(lines: Lines, shift: I64, radii: I64, rows: int) -> U8:
    """Coverage (rows, 32) by the lines, moved along the strip by `shift` (d,)."""
    large = np.zeros((rows * FINER, canvas.HEIGHT * FINER), np.uint8)
    unit = 1 << _FRACTION
    points = (np.stack([lines.y, lines.x], axis=1) * FINER - 0.5) * unit
    fixed = np.rint(points).astype(np.int32)
    # Whole px, and after rounding, so that a line does not depend on its place.
    fixed[:, 1] += (shift * FINER * unit).astype(np.int32)[lines.point]
    strokes: list[list[npt.NDArray[np.int32]]] = [[] for _ in radii]
    owners, starts = lines.owner[lines.digit].tolist(), [*lines.start.tolist(), len(fixed)]
    for owner, span in zip(owners, pairwise(starts), strict=True):
        strokes[owner].append(fixed[slice(*span)])
    for paths, radius_ in zip(strokes, radii.tolist(), strict=True):
        cv2.polylines(large, paths, False, 255, 2 * radius_, cv2.LINE_8, _FRACTION)
    # Halved twice: much faster than to a quarter.
    for finer in (2, 1):
        size = (canvas.HEIGHT * finer, rows * finer)
        large = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    return np.asarray(large, np.uint8)


def _soften(strip: U8, starts: I64, softness: F32) -> U8:
    """Soften or sharpen edges, then scale each number to a peak of 255, as fit() does; in place.

    Coverage fades over 1 px. Mixed with a share t of itself under a kernel of 1/4, 1/2, 1/4, it
    gets the variance t / 2 on top of the 1/12 of such an edge; one over s px has s ** 2 / 12.
    """
    soft = np.minimum(softness, _SOFTEST)
    share, gain = np.maximum(soft**2 - 1, 0) / 6, np.maximum(1 / soft, 1)
    smooth = cv2.GaussianBlur(strip, (3, 3), 0)
    spans = list(pairwise([*starts.tolist(), len(strip)]))
    mixing = np.stack([(1 - share) * gain, share, 127.5 * (1 - gain)], axis=1).tolist()
    for (start, stop), (sharp, blurred, bias) in zip(spans, mixing, strict=True):
        part = strip[start:stop]
        cv2.addWeighted(part, sharp, smooth[start:stop], blurred, bias, dst=part)
    peaks = np.maximum.reduceat(strip.reshape(-1), starts * strip.shape[1])
    for number in np.flatnonzero(peaks < 255).tolist():
        part = strip[slice(*spans[number])]
        cv2.addWeighted(part, 255 / float(peaks[number]), part, 0, 0, dst=part)
    return strip


def measure(tiles: Tiles) -> I64:
    """Boxes int64 (d, 4) of each digit's ink on the canvas: x, y, width, height."""
    # The 32 px of a row in the bits of one number.
    inked = np.packbits(tiles.strip >= canvas.FAINT, axis=1).view(np.uint32)[:, 0]
    across = np.bitwise_or.reduceat(inked, tiles.start)[:, None].view(np.uint8)
    across = np.unpackbits(across, axis=1)
    top = across.argmax(axis=1)
    bottom = canvas.HEIGHT - across[:, ::-1].argmax(axis=1)
    filled = np.flatnonzero(inked)
    first = filled[np.searchsorted(filled, tiles.start)]
    last = filled[np.searchsorted(filled, tiles.stop) - 1]
    x = first - tiles.start + tiles.column
    return np.stack([x, top, last + 1 - first, bottom - top], axis=1)


def compose(tiles: Tiles, owner: I64, move: I64) -> U8:
    """Set d digits into n numbers, uint8 (n, 32, 128), by the lighter pixel.

    Args:
        tiles: The digits.
        owner: int64 (d,), the number of each.
        move: int64 (n, 2), px across and down for each number.
    """
    around = 8  # room for empty margins
    images = np.zeros((len(move), canvas.HEIGHT + 2 * around, canvas.WIDTH + 2 * around), np.uint8)
    upright = cv2.transpose(tiles.strip)
    x = (tiles.column + move[owner, 0] + around).tolist()
    y = (move[owner, 1] + around).tolist()
    spans = zip(tiles.start.tolist(), tiles.stop.tolist(), strict=True)
    for number, left, top, (start, stop) in zip(owner.tolist(), x, y, spans, strict=True):
        spot = images[number, top : top + canvas.HEIGHT, left : left + stop - start]
        cv2.max(spot, upright[:, start:stop], dst=spot)
    return images[:, around:-around, around:-around]
