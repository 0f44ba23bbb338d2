"""From a few control points to the smooth path of a hand."""

from itertools import pairwise

import numpy as np

STEP = 0.012  # digit heights between two points of a finished path
_SAMPLES = 12  # points evaluated between two control points


def trace(points: np.ndarray, rounding: float) -> np.ndarray:
    """Move the pen through control points.

    points: float (k, 3), k >= 2: x, y in digit heights, 1 where the pen turns sharply.
    rounding: how far the hand looks ahead, in digit heights; the faster, the rounder its corners.
    Returns float64 (n, 2), evenly spaced by about STEP, its ends those of `points`.
    """
    return _move(points, points[:, :2], rounding)


def basis(points: np.ndarray, rounding: float) -> np.ndarray:
    """How much each control point weighs in each point of the path: float64 (n, k).

    `basis(points, rounding) @ points[:, :2]` is `trace(points, rounding)`; the basis of a shape
    also gives the paths of control points that lie near those of the shape.
    """
    columns = np.concatenate([points[:, :2], np.eye(len(points))], axis=1)
    return _move(points, columns, rounding)[:, 2:]


def _move(points: np.ndarray, columns: np.ndarray, rounding: float) -> np.ndarray:
    """Carry columns (k, c), of which the first two are x and y, along the path: (n, c)."""
    corners = np.flatnonzero(points[1:-1, 2]) + 1
    bounds = [0, *corners.tolist(), len(points) - 1]
    runs = [_spline(columns[a : b + 1]) for a, b in pairwise(bounds)]
    path = np.concatenate([runs[0], *(run[1:] for run in runs[1:])])
    return _low_pass(_resample(path), rounding / STEP)


def tremble(path: np.ndarray, amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """Add an unsteadiness of about `amplitude` digit heights to a path (n, 2)."""
    along = np.arange(len(path))[:, None, None] * STEP
    waves = rng.uniform(0.6, 4.0, (1, 4, 2))  # cycles per digit height
    phases = rng.uniform(0, 2 * np.pi, (1, 4, 2))
    swing = rng.normal(0, 1, (1, 4, 2)) / (2 * waves)
    sway: np.ndarray = np.sum(swing * np.sin(2 * np.pi * waves * along + phases), axis=1)
    return path + amplitude * sway


def _spline(points: np.ndarray) -> np.ndarray:
    """Cubic Hermite curve through points, centripetal in time: no cusps where spacing is uneven."""
    hops = np.sqrt(np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1))[:, None] + 1e-6
    slopes = np.diff(points, axis=0) / hops
    tangents = np.empty_like(points)
    if len(points) == 2:
        tangents[:] = slopes
    else:
        before, after = hops[:-1], hops[1:]
        tangents[1:-1] = (slopes[:-1] * after + slopes[1:] * before) / (before + after)
        tangents[0] = 1.5 * slopes[0] - 0.5 * tangents[1]
        tangents[-1] = 1.5 * slopes[-1] - 0.5 * tangents[-2]
    t = np.linspace(0, 1, _SAMPLES, endpoint=False)[None, :, None]
    start, end = points[:-1, None], points[1:, None]
    leave, arrive = (tangents[:-1] * hops)[:, None], (tangents[1:] * hops)[:, None]
    bend = (2 * t - 3) * t * t
    curve = start * (1 + bend) - end * bend + leave * t * (1 - t) ** 2 - arrive * t * t * (1 - t)
    return np.concatenate([curve.reshape(-1, points.shape[1]), points[-1:]])


def _resample(path: np.ndarray) -> np.ndarray:
    hops = np.linalg.norm(np.diff(path[:, :2], axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(hops)])
    at = np.linspace(0, length[-1], max(2, round(length[-1] / STEP) + 1))
    return np.stack([np.interp(at, length, column) for column in path.T], axis=1)


def _low_pass(path: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth by a Gaussian of `sigma` points; mirrored through its ends, so that they stay."""
    reach = min(int(3 * sigma), len(path) - 1)
    if reach < 1:
        return path
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    head = 2 * path[0] - path[reach:0:-1]
    tail = 2 * path[-1] - path[-2 : -reach - 2 : -1]
    padded = np.concatenate([head, path, tail])
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)
