"""A digit as a writer writes it: the strokes of one hand."""

import numpy as np

from generator.pen import movement
from generator.pen.allographs import ALLOGRAPHS
from generator.pen.style import Style, draw_allograph, vary

_WAVES = 3  # cosine terms per axis of a bending field


def write_digit(digit: int, style: Style, rng: np.random.Generator) -> list[np.ndarray]:
    """Write `digit` (0..9) once.

    Returns its strokes in the order written, each float32 (points, 2): x, y in digit heights, y
    down, about STEP apart; the digit's box begins at (0, 0) and is 1 high.
    """
    now = vary(style, digit, rng)
    usual = style.allographs[digit]
    choice = draw_allograph(digit, rng) if rng.random() < style.fickleness else usual
    fields = _bending(now, digit, choice, rng)
    strokes = [
        _write_stroke(points.astype(np.float64), now, fields, rng)
        for points in ALLOGRAPHS[digit][choice].strokes
    ]
    return _to_unit_height(strokes)


def _write_stroke(
    points: np.ndarray, style: Style, field: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    points = _end_habits(points, style, rng)
    points[:, :2] += rng.normal(0, 0.011 * style.looseness, (len(points), 2))
    points[:, :2] += rng.normal(0, 0.014 * style.looseness, 2)  # the stroke as a whole
    path = _bend(movement.trace(points, style.rounding), field)
    return movement.tremble(_proportion(path, style), style.tremor, rng)


def _end_habits(points: np.ndarray, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Lengthen or shorten both ends along the stroke, then hook them where the writer does."""
    points = points.copy()
    for end, neighbour in ((0, 1), (-1, -2)):
        way = points[end, :2] - points[neighbour, :2]
        length = float(np.linalg.norm(way)) + 1e-9
        run_on = style.overshoot + rng.normal(0, 0.02) * style.looseness
        points[end, :2] += way / length * max(run_on, -0.4 * length)
        if style.hook > 0 and rng.random() < 0.4:
            turn = rng.uniform(1.6, 2.6) * (1 if rng.random() < 0.5 else -1)
            cos, sin = np.cos(turn), np.sin(turn)
            tip = points[end, :2] + style.hook / length * way @ np.array([[cos, sin], [-sin, cos]])
            points = np.insert(points, len(points) if end else 0, (*tip, 0.0), axis=0)
    return points


def _bending(style: Style, digit: int, choice: int, rng: np.random.Generator) -> np.ndarray:
    """Coefficients (waves, waves, 2) of a smooth field: the hand's own bending plus today's."""
    own = np.random.default_rng((style.hand, digit, choice))
    i, j = np.indices((_WAVES, _WAVES))
    scale = (style.distortion / (1 + i + j))[..., None]
    shape = (_WAVES, _WAVES, 2)
    return scale * (own.normal(size=shape) + 0.45 * style.looseness * rng.normal(size=shape))


def _bend(path: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Displace a path (n, 2) by the field: what lies close together stays together."""
    waves = np.cos(np.pi * np.arange(_WAVES)[:, None, None] * path[None])
    shift: np.ndarray = np.einsum("in,jn,ijc->nc", waves[..., 0], waves[..., 1], field)
    shift += path
    return shift


def _proportion(path: np.ndarray, style: Style) -> np.ndarray:
    """Balance of top and bottom, taper, aspect, slant and turn."""
    x, y = path[:, 0] - 0.28, path[:, 1]
    y = np.sign(y) * np.abs(y) ** style.balance
    x = x * style.aspect * (1 + style.taper * (0.5 - y)) + style.slant * (0.5 - y)
    return np.stack([x - style.rotation * y, y + style.rotation * x], axis=1)


def _to_unit_height(strokes: list[np.ndarray]) -> list[np.ndarray]:
    everything = np.concatenate(strokes)
    low = everything.min(0)
    height = everything[:, 1].max() - low[1]
    return [((stroke - low) / height).astype(np.float32) for stroke in strokes]
