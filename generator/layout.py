"""Places the digits of each number: where each one stands, how large, and what its tile sees."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generator.bank import Bank
from generator.centreline import STEPS_PER_PX
from generator.glyph import CENTRE, DIRECTIONS, REACH_STEPS, UNITS_PER_PX
from generator.recipe import Recipe
from generator.sample import Numbers
from generator.warp import TILE_HEIGHT, TILE_WIDTH, Maps, exact
from shards import canvas

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

# MNIST's 28 px frame around a digit's centre, by which the reference recipe measures gaps and
# heights: left, right, top, bottom.
BOX = np.array([-14.0, 14.0, -14.0, 14.0], np.float32)
# Columns on either side of a tile, and rows above and below, that small digits do without.
MARGINS_X = (12, 8, 4, 0)
MARGINS_Y = (6, 4, 2, 0)
# What a tile must leave free on both sides together, for bends and soft edges.
TILE_ROOM = 4
# The same for a smaller tile: with less, too many numbers are laid out twice.
RIM_ROOM = 6
# A thinner line, in output px, would be fainter than ink.
LEAST_PEN = 0.9


@dataclass(frozen=True)
class Room:
    """The part of the canvas that a number may fill, in px; it aims at `slack` px less."""

    width: int
    height: int
    right: int
    slack: float

    @property
    def left(self) -> int:
        """The first column of the room."""
        return self.right - self.width

    @property
    def top(self) -> int:
        """The first row of the room."""
        return (canvas.HEIGHT - self.height) // 2


# Where the frame of a recipe ends up: the ink as fit() places it, less what soft edges and bends
# add to it; or the 28 px frames, exactly, with a margin of 1 px above and below.
ROOMS = {
    "ink": Room(canvas.INK_WIDTH, canvas.INK_HEIGHT, canvas.WIDTH - canvas.RIGHT_MARGIN, 1.5),
    "box": Room(canvas.WIDTH, 30, canvas.WIDTH, 0),
}


@dataclass(frozen=True)
class Layout:
    """The digits of n numbers, flattened to their d present digits.

    Digits of one tile size follow one another, those inked anew first, then by place. `gain` and
    `bias` turn what the warp reads into ink: value * gain + bias, cut to 0..255.
    """

    owner: I64  # (d,), the number it belongs to
    place: I64  # (d,), its place in the number, 0 on the left
    glyph: I64  # (d,), row of the bank
    inked_anew: npt.NDArray[np.bool_]  # (d,)
    column: I64  # (d,), canvas column of its tile's left edge; may be negative
    row: I64  # (d,), canvas row of its tile's top edge; may be negative
    margin_x: I64  # (d,), columns on either side of its tile that are empty, of MARGINS_X
    margin_y: I64  # (d,), rows above and below, of MARGINS_Y
    extent: F32  # (d, 2), px that its ink should reach across and down
    maps: Maps
    gain: F32  # (d,)
    bias: F32  # (d,)


def lay_out(
    bank: Bank, recipe: Recipe, numbers: Numbers, shrink: float | F32 = 1.0, small: bool = True
) -> Layout:
    """Lay out n numbers so that each fills the room of its recipe, right-aligned.

    Args:
        bank: Knows how far each digit's ink reaches.
        recipe: Its frame and its limit to overlaps are used.
        numbers: What to lay out.
        shrink: Further factor on the size, one or (n,).
        small: Whether small digits get small tiles, which pays where there are many.
    """
    room = ROOMS[recipe.frame]
    matrices = _matrices(numbers)
    shift = np.stack([numbers.shift_x, numbers.shift_y], axis=2)
    if recipe.frame == "box":
        # MNIST's frames are centred by mass.
        offsets = bank.offsets[numbers.glyphs].astype(np.float32) / UNITS_PER_PX
        shift += np.einsum("ndij,ndj->ndi", matrices, offsets)
    ink = _ink_extents(bank, numbers, matrices) + np.repeat(shift, 2, axis=2)
    frame = ink if recipe.frame == "ink" else np.broadcast_to(BOX, ink.shape)
    x = _line_up(numbers, frame, recipe.overlap)
    y = -np.tan(numbers.rise)[:, None] * x
    left, right, top, bottom = _bounds(numbers, frame, ink, x, y)
    width = np.where(numbers.present, ink[..., 1] - ink[..., 0], 1)
    size = np.minimum.reduce(
        [
            (room.height - room.slack) / (bottom - top),
            (room.width - room.slack) / (right - left),
            (TILE_WIDTH - TILE_ROOM) / width.max(axis=1),
        ]
    )
    size *= np.where(numbers.anywhere, numbers.size, 1) * shrink
    # From here on in output px.
    scale = size[:, None]
    edge, middle = _anchor(room, numbers, (right - left) * size, (bottom - top) * size)
    centre_x = (edge - right * size)[:, None] + (x + shift[..., 0]) * scale
    centre_y = (middle - (top + bottom) / 2 * size)[:, None] + (y + shift[..., 1]) * scale
    centre = (ink[..., ::2] + ink[..., 1::2]) / 2 - shift
    column = np.round(centre_x + centre[..., 0] * scale - TILE_WIDTH / 2)
    row = np.round(centre_y + centre[..., 1] * scale - TILE_HEIGHT / 2)
    extent = np.stack([width, ink[..., 3] - ink[..., 2]], axis=2) * scale[..., None]
    gain, bias = _ramps(numbers, size)
    margin_x = _margins(MARGINS_X if small else (0,), TILE_WIDTH, extent[..., 0])
    margin_y = _margins(MARGINS_Y if small else (0,), TILE_HEIGHT, extent[..., 1])
    owner, place = np.nonzero(numbers.present)
    tile = (margin_y * TILE_WIDTH + margin_x)[owner, place]
    order = np.lexsort((place, ~numbers.inked_anew[owner], tile))
    at = owner, place = owner[order], place[order]
    return Layout(
        owner=owner,
        place=place,
        glyph=numbers.glyphs[at],
        inked_anew=numbers.inked_anew[owner],
        column=column[at].astype(np.int64),
        row=row[at].astype(np.int64),
        margin_x=margin_x[at],
        margin_y=margin_y[at],
        extent=extent[at],
        maps=_maps(
            numbers, at, matrices[at], size[owner], (centre_x - column)[at], (centre_y - row)[at]
        ),
        gain=gain[at],
        bias=bias[at],
    )


def _margins(margins: tuple[int, ...], side: int, ink: F32) -> I64:
    """The largest margin of a tile, falling, that leaves room for ink of this extent."""
    widest = [side - 2 * margin - RIM_ROOM for margin in margins[:-1]]
    return np.array(margins)[np.searchsorted(widest, ink)]


def _matrices(numbers: Numbers) -> F32:
    """(n, 5, 2, 2): scale, then rotation, then slant of each digit; y points down."""
    turn = numbers.rotation - numbers.rise[:, None]
    lean = -np.tan(numbers.slant[:, None] + numbers.lean)
    cos, sin = np.cos(turn), np.sin(turn)
    high = numbers.scale
    wide = numbers.scale * numbers.aspect[:, None]
    across = np.stack([(cos + lean * sin) * wide, (lean * cos - sin) * high], axis=2)
    down = np.stack([sin * wide, cos * high], axis=2)
    return np.stack([across, down], axis=2)


def _ink_extents(bank: Bank, numbers: Numbers, matrices: F32) -> F32:
    """(n, 5, 4): left, right, top, bottom of each digit's ink around its frame's centre.

    The extent of a set along a row m of a matrix is |m| times the set's support function in the
    direction of m, which the bank keeps for 64 directions.
    """
    lengths = np.hypot(matrices[..., 0], matrices[..., 1])
    angles = np.arctan2(matrices[..., 1], matrices[..., 0])
    ahead = np.round(angles * (DIRECTIONS / (2 * np.pi))).astype(np.int64) % DIRECTIONS
    behind = (ahead + DIRECTIONS // 2) % DIRECTIONS
    directions = np.concatenate([behind, ahead], axis=2)  # left, up; right, down
    reach = np.empty(directions.shape, np.float32)
    anew = numbers.inked_anew
    for rows, source in ((anew, bank.line_reach), (~anew, bank.ink_reach)):
        reach[rows] = source[numbers.glyphs[rows][..., None], directions[rows]]
    reach *= 1 / (REACH_STEPS * UNITS_PER_PX)
    low, high = lengths * reach[..., :2], lengths * reach[..., 2:]
    pen = np.where(anew, numbers.pen / 2, 0)[:, None]
    return np.stack(
        [-low[..., 0] - pen, high[..., 0] + pen, -low[..., 1] - pen, high[..., 1] + pen], axis=2
    )


def _line_up(numbers: Numbers, frame: F32, overlap: float) -> F32:
    """(n, 5): x of each digit's centre, its frame to the right of its neighbour's by the gap."""
    width = np.where(numbers.present, frame[..., 1] - frame[..., 0], 0)
    narrower = np.minimum(width[:, 1:], width[:, :-1])
    gap = np.maximum(numbers.spacing[:, None] + numbers.gap[:, 1:], -overlap * narrower)
    start = np.cumsum(width, axis=1) - width
    start[:, 1:] += np.cumsum(gap, axis=1)
    return start - frame[..., 0]


def _bounds(numbers: Numbers, frame: F32, ink: F32, x: F32, y: F32) -> tuple[F32, F32, F32, F32]:
    """Left, right, top and bottom (n,) of each number: of its frames and of all its ink."""
    there = numbers.present
    low = np.minimum(frame[..., ::2], ink[..., ::2])
    high = np.maximum(frame[..., 1::2], ink[..., 1::2])
    return (
        np.where(there, x + low[..., 0], np.inf).min(axis=1),
        np.where(there, x + high[..., 0], -np.inf).max(axis=1),
        np.where(there, y + low[..., 1], np.inf).min(axis=1),
        np.where(there, y + high[..., 1], -np.inf).max(axis=1),
    )


def _anchor(room: Room, numbers: Numbers, width: F32, height: F32) -> tuple[F32, F32]:
    """Right edge and middle row (n,) of each number: right-aligned and centred, or anywhere."""
    spare = np.stack([room.width - width, room.height - height], axis=1)
    middle = np.array([1, 0.5], np.float32)
    across, down = (np.where(numbers.anywhere[:, None], numbers.place - middle, 0) * spare).T
    return room.right + across, canvas.HEIGHT / 2 + down


def _ramps(numbers: Numbers, size: F32) -> tuple[F32, F32]:
    """Gain and bias (n, 5) that make ink of what the warp reads.

    A digit inked anew is read from its distance field: the ink of a pen of width w fades from full
    to none while the distance to the centreline goes from (w - softness) / 2 to (w + softness) / 2.
    Any other is read as grey, and contrast turns about half ink, or about black where it fades.
    """
    # Turning and leaning keep areas.
    px_per_step = numbers.scale * np.sqrt(numbers.aspect)[:, None] * size[:, None]
    px_per_step /= STEPS_PER_PX * UNITS_PER_PX
    pen = np.maximum(numbers.pen * size, LEAST_PEN)[:, None]
    softness = np.minimum(numbers.softness[:, None], pen)
    gain = 255 * px_per_step / softness
    # Where the field ends there is no ink, however thick and soft the pen.
    bias = np.minimum(255 * (pen / 2 / softness + 0.5) - 255 * gain, 0)
    contrast = numbers.contrast[:, None]
    lift = np.minimum(127.5 * (1 - contrast), 0)
    anew = numbers.inked_anew[:, None]
    return np.where(anew, gain, contrast), np.where(anew, bias, lift)


def _maps(
    numbers: Numbers, at: tuple[I64, I64], matrices: F32, size: F32, tile_x: F32, tile_y: F32
) -> Maps:
    """The backward maps of d digits whose centres lie at `tile_x`, `tile_y` in their tiles."""
    columns: F32 = np.arange(0.5, TILE_WIDTH, dtype=np.float32) - tile_x[:, None]
    rows: F32 = np.arange(0.5, TILE_HEIGHT, dtype=np.float32) - tile_y[:, None]
    px = np.float32(1) / size[:, None]
    inverse = _inverse(matrices) * (UNITS_PER_PX / size)[:, None, None]
    across = _curve(numbers, at, slice(0, 4, 2), columns * px)
    down = _curve(numbers, at, slice(1, 4, 2), rows * px)
    # cv2 counts from the centre of the first pixel.
    middle = np.float32(CENTRE - 0.5)
    return Maps(
        exact(columns * inverse[:, 0, 0, None] + middle + across[0]),
        exact(rows * inverse[:, 0, 1, None] + down[0]),
        exact(columns * inverse[:, 1, 0, None] + middle + across[1]),
        exact(rows * inverse[:, 1, 1, None] + down[1]),
    )


def _inverse(matrices: F32) -> F32:
    """The inverses of matrices (d, 2, 2), written out: many times faster than np.linalg.inv."""
    (a, b), (c, d) = np.moveaxis(matrices, 0, -1)
    adjugate = np.stack([d, -b, -c, a], axis=-1) / (a * d - b * c)[:, None]
    return np.asarray(adjugate.reshape(-1, 2, 2))


def _curve(numbers: Numbers, at: tuple[I64, I64], which: slice, along: F32) -> F32:
    """Displacement (2, d, m) in glyph px, of x and of y, at `along` (d, m) px.

    Two sines of the two curves `which`: the bend and the tremor.
    """
    if not numbers.curve_height.any():
        return np.zeros((2, *along.shape), np.float32)
    height, waves, phase = (
        np.moveaxis(part[:, :, which][at], 1, 0)[..., None]
        for part in (numbers.curve_height, numbers.curve_waves, numbers.curve_phase)
    )
    sines: F32 = height * np.sin(waves * along[:, None, :] + phase)
    return UNITS_PER_PX * (sines[:, :, 0] + sines[:, :, 1])
