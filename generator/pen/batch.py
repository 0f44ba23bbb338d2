"""Many digits written at once: `write.write_digit` as array operations.

The path of a stroke is linear in its control points, so that one matrix for each shape replaces
spline, resampling and smoothing. Points lie along the last axis, and in single precision: so the
same work takes a quarter of the time.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from generator.pen.hands import WAVES, Hands, choose, normals
from generator.pen.shapes import CONTROLS, NEAR, ROUNDINGS, STROKES, shapes
from generator.pen.style import ONE_ASPECT

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_RIPPLES = 2  # sines of a tremor
# Normal draws of a digit: slant, aspect, rotation, rounding, balance, taper; its field; and for
# each stroke its place, both ends and every control point.
_FORM, _FIELD, _STROKE = 6, WAVES * WAVES * 2, 4 + 2 * CONTROLS
_NORMALS = _FORM + _FIELD + STROKES * _STROKE
# Uniform draws: fickle, which shape, then for each stroke two for each hook and the tremor.
_TREMOR = _RIPPLES * 5
_UNIFORMS = 2 + STROKES * (4 + _TREMOR)
DRAWS = _NORMALS + _UNIFORMS
# Slow waves of a field are higher.
_FADING = 1 / (1 + np.add.outer(np.arange(WAVES), np.arange(WAVES), dtype=np.float32))
_FADING = np.repeat(_FADING, 2)[:, None]


@dataclass(frozen=True)
class Strokes:
    """The s strokes of d digits, sorted by digit, with p points in all.

    Lengths are in digit heights, y points down. As written, a digit's ink has x from 0 and y from
    -1, its top, to 0.
    """

    x: F32  # (p,)
    y: F32  # (p,)
    stroke: I64  # (p,), whose point
    start: I64  # (s,), its first point
    digit: I64  # (s,), whose stroke
    hooks: F32  # (s, 2, 2): from the first and from the last point to the tip of a hook, or 0
    first: I64  # (d,), the first stroke of each digit
    shape: I64  # (d,), rows of `shapes()`

    @property
    def end(self) -> I64:
        """int64 (s,), the last point of each stroke."""
        return np.append(self.start[1:], len(self.x)) - 1

    @property
    def owner(self) -> I64:
        """int64 (p,), the digit of each point."""
        return self.digit[self.stroke]

    def boxes(self) -> tuple[F32, F32, F32, F32]:
        """Left, top, right, bottom (d,) of each digit."""
        starts = self.start[self.first]
        low, high = np.minimum.reduceat, np.maximum.reduceat
        return low(self.x, starts), low(self.y, starts), high(self.x, starts), high(self.y, starts)


def write_digits(
    hands: Hands, writer: I64, digits: I64, after_foot: npt.NDArray[np.bool_], u: F32
) -> Strokes:
    """Write d digits.

    Args:
        hands: Of the writers.
        writer: int64 (d,), which of them writes each digit.
        digits: int64 (d,), 0 to 9.
        after_foot: bool (d,), where the pen may come from the foot of a digit on the left.
        u: uniform (d, DRAWS) in [0, 1).
    """
    table = shapes()
    u = u.T.copy()
    z, v = normals(u[:_NORMALS]), u[_NORMALS:]
    shape = _choose(hands, writer, digits, after_foot, v[:2])
    digit, which = np.nonzero(table.last[shape] >= 0)
    row = (shape[digit], which)
    start = np.cumsum(table.count[row]) - table.count[row]
    stroke = np.repeat(np.arange(len(digit)), table.count[row])
    points = np.arange(len(stroke)) + (table.start[row] - start)[stroke]
    form = _Form(hands, writer, digits, z)
    aim = z[_FORM + _FIELD :].reshape(STROKES, _STROKE, -1)[which, :, digit].T
    habits = v[2:].reshape(STROKES, 4 + _TREMOR, -1)[which, :, digit].T
    owner = digit[stroke]
    control = _aim(table.control[:, *row], table.last[row], hands, writer[digit], aim)
    x, y = _trace(control, stroke, points, form.rounding[owner])
    x, y = _bend(x, y, form.field.take(owner, axis=1))
    x, y = form.proportion(x, y, owner)
    sway = _tremble(table.along[points], habits[4:].take(stroke, axis=1))
    sway *= hands.tremor[writer][owner]
    first = np.searchsorted(digit, np.arange(len(digits)))
    no_hooks = np.zeros((len(digit), 2, 2), np.float32)
    strokes = Strokes(x + sway[0], y + sway[1], stroke, start, digit, no_hooks, first, shape)
    strokes = _one_high(strokes)
    return replace(strokes, hooks=_hooks(strokes, hands.hook[writer[digit]], habits[:4].T))


def _choose(
    hands: Hands, writer: I64, digits: I64, after_foot: npt.NDArray[np.bool_], u: F32
) -> I64:
    """Rows (d,) of `shapes()`: the writer's usual ones, but for a few."""
    fickle = u[0] < hands.fickleness[writer]
    shape = np.where(fickle, choose(digits, u[1]), hands.shape[writer, digits])
    return np.where(after_foot & (digits == 0), shapes().joined_zero, shape)


def _one_high(strokes: Strokes) -> Strokes:
    """Scale and move each digit into its box."""
    left, top, _, bottom = strokes.boxes()
    owner, height = strokes.owner, bottom - top
    x, y = strokes.x - left[owner], strokes.y - bottom[owner]
    return replace(strokes, x=x / height[owner], y=y / height[owner])


class _Form:
    """The form of each of d digits: the writer's own, a little different each time."""

    def __init__(self, hands: Hands, writer: I64, digits: I64, z: F32) -> None:
        loose = hands.looseness[writer]
        slant, aspect, rotation, rounding, balance, taper = z[:_FORM] * loose
        self.slant = hands.slant[writer] + 0.05 * slant
        narrow = np.where(digits == 1, np.float32(ONE_ASPECT), np.float32(1))
        self.aspect = hands.aspect[writer] * np.exp(0.09 * aspect) * narrow
        self.rotation = hands.rotation[writer] + 0.04 * rotation
        self.rounding = hands.rounding[writer] * np.exp(0.2 * rounding)
        self.balance = hands.balance[writer] * np.exp(0.08 * balance)
        self.taper = hands.taper[writer] + 0.05 * taper
        usual = hands.field[writer, digits].reshape(-1, _FIELD).T
        today = z[_FORM : _FORM + _FIELD]
        field = (usual + 0.45 * loose * today) * (hands.distortion[writer] * _FADING)
        self.field: F32 = field.astype(np.float32, copy=False)

    def proportion(self, x: F32, y: F32, digit: I64) -> tuple[F32, F32]:
        """Balance of top and bottom, taper, aspect, slant and turn of points; see `write`."""
        y = np.copysign(np.abs(y) ** self.balance[digit], y)
        x = (x - 0.28) * self.aspect[digit] * (1 + self.taper[digit] * (0.5 - y))
        x += self.slant[digit] * (0.5 - y)
        rotation = self.rotation[digit]
        return x - rotation * y, y + rotation * x


def _aim(points: F32, last: I64, hands: Hands, writer: I64, z: F32) -> F32:
    """Control points (2, s, CONTROLS) a little off, both ends further along their strokes."""
    overshoot, loose = hands.overshoot[writer], hands.looseness[writer]
    every = np.arange(len(last))
    for side, (end, inward) in enumerate(((0 * last, 0 * last + 1), (last, last - 1))):
        way = points[:, every, end] - points[:, every, inward]
        length = np.hypot(*way) + np.float32(1e-9)
        run_on = np.maximum(overshoot + 0.02 * loose * z[side], -0.4 * length)
        points[:, every, end] += way * (run_on / length)
    off = 0.011 * z[4:].reshape(2, CONTROLS, -1) + 0.014 * z[2:4, None]
    return np.asarray(points + (loose * off).transpose(0, 2, 1))


def _trace(control: F32, stroke: I64, points: I64, rounding: F32) -> tuple[F32, F32]:
    """x and y of the points (p,) of paths through control points (2, s, CONTROLS)."""
    table = shapes()
    share = ((rounding - ROUNDINGS[0]) / (ROUNDINGS[1] - ROUNDINGS[0])).clip(0, 1)
    sharp, weights = table.basis.take(points, axis=2)
    weights -= sharp
    weights *= share
    weights += sharp
    near = stroke * CONTROLS + table.near[points] + np.arange(NEAR)[:, None]
    x, y = control.reshape(2, -1).take(near, axis=1)
    return (x * weights).sum(axis=0), (y * weights).sum(axis=0)


def _bend(x: F32, y: F32, field: F32) -> tuple[F32, F32]:
    """Displace points by smooth fields, one coefficient (18, p) for each wave and axis."""
    cosines = np.cos(np.pi * np.stack([x, y]))
    (x1, y1), (x2, y2) = cosines, 2 * cosines * cosines - 1
    a = field.reshape(WAVES, WAVES, 2, -1)
    rows = a[:, 0] + a[:, 1] * y1 + a[:, 2] * y2
    shift = rows[0] + rows[1] * x1 + rows[2] * x2
    return x + shift[0], y + shift[1]


def _tremble(along: F32, u: F32) -> F32:
    """An unsteadiness (2, p) of about 1, at so many digit heights along the strokes."""
    waves = 0.6 + 3.4 * u[:_RIPPLES]  # cycles per digit height
    phase, swing = u[_RIPPLES:].reshape(2, 2, _RIPPLES, -1)
    height = (swing - 0.5) * (12**0.5 / 2) / waves
    return np.asarray((height * np.sin(2 * np.pi * (waves * along + phase))).sum(axis=1))


def _hooks(strokes: Strokes, length: F32, u: F32) -> F32:
    """Little hooks for the ends of strokes, where the writer makes any: see `Strokes.hooks`."""
    ends = np.stack([strokes.start, strokes.end], axis=1)
    inward = ends + np.array([1, -1])
    way = np.stack([at[ends] - at[inward] for at in (strokes.x, strokes.y)])
    way /= np.hypot(*way) + np.float32(1e-9)
    turn = 2 * u[:, 1::2] - 1
    turn += np.copysign(np.float32(1.6), turn)
    cos, sin = np.cos(turn), np.sin(turn)
    some = np.where(u[:, ::2] < 0.4, length[:, None], np.float32(0))
    return np.stack(
        [some * (way[0] * cos - way[1] * sin), some * (way[0] * sin + way[1] * cos)], axis=2
    )
