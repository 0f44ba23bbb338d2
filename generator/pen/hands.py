"""The hands of model writers, many at once and without end."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generator.pen.shapes import shapes
from generator.rng import coarse_uniforms_of

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

WAVES = 3  # cosine terms per axis of a bending field
_FIELD = WAVES * WAVES * 2
_KEY = (2**64 - 1) << 64  # apart from every seed
_SCALARS = 12
# Per digit: field, size, drop (normal), and its usual shape (uniform).
_NORMALS = 10 * (_FIELD + 2) + _SCALARS
_UNIFORMS = 20
# Among so many writers, fast ones join some digits, and others write small zeros or let the stems
# of 7 and 9 hang.
_FLOWING, _SMALL_ZEROS, _HANGING = 0.8, 0.2, 0.1


@dataclass(frozen=True)
class Hands:
    """n writers; see `style.Style` for what the fields (n,) mean.

    flow: chance that the pen is not lifted where it could run on. kern: 0 where the writer keeps
    boxes apart, 1 where ink, so that digits ride under their neighbours' bars. size, drop (n, 10):
    factor on the height of each digit, and how far it hangs under the line. shape (n, 10): rows of
    `shapes()`. field (n, 10, 9, 2): her own bending of each digit.
    """

    slant: F32
    aspect: F32
    rotation: F32
    rounding: F32
    tremor: F32
    balance: F32
    taper: F32
    overshoot: F32
    hook: F32
    distortion: F32
    looseness: F32
    fickleness: F32
    flow: F32
    kern: F32
    size: F32
    drop: F32
    shape: I64
    field: F32


def draw_hands(writers: I64) -> Hands:
    """The hands of these writers, int64 (n,); a hand depends on its writer alone.

    The distributions are those of `style.draw_style`; youth is Kumaraswamy's and not a beta
    variate, since its quantiles have a closed form.
    """
    u = coarse_uniforms_of(_KEY, writers, _NORMALS + _UNIFORMS).T.copy()
    normal = normals(u[:_NORMALS])
    z, v = iter(normal[:_SCALARS]), iter(u[_NORMALS:])
    each = np.moveaxis(normal[_SCALARS:].reshape(10, _FIELD + 2, -1), 2, 0)
    youth = (1 - (1 - next(v)) ** (1 / 1.8)) ** (1 / 1.2)
    small_zeros, hanging = next(v) < _SMALL_ZEROS, next(v) < _HANGING
    size, drop = np.exp(0.06 * each[..., -2]), 0.03 * each[..., -1]
    size[:, 0] *= np.where(small_zeros, 0.78, 1)
    drop[:, [7, 9]] += np.where(hanging, 0.22, 0)[:, None]
    fast = np.maximum(0, 1 - next(v) / _FLOWING) ** 0.3
    return Hands(
        slant=np.clip(0.2 - 0.1 * youth + (0.3 - 0.1 * youth) * next(z), -0.45, 0.75),
        aspect=np.clip(np.exp(0.08 + 0.24 * next(z)), 0.65, 1.5),
        rotation=0.05 * next(z),
        rounding=0.012 + (0.038 - 0.015 * youth) * next(v),
        tremor=-(0.002 + 0.004 * youth) * np.log((1 - next(v)) * (1 - next(v))),
        balance=np.exp(0.13 * next(z)),
        taper=0.12 * next(z),
        overshoot=0.01 + 0.025 * next(z),
        hook=np.maximum(0, -0.01 + 0.035 * next(z)),
        distortion=0.03 + (0.04 + 0.02 * youth) * next(v),
        looseness=np.exp(-0.1 + 0.4 * youth + 0.25 * next(z)),
        fickleness=1 - (1 - next(v)) ** (1 / 12),
        flow=fast * (1 - youth**2),
        kern=next(v),
        size=size,
        drop=drop,
        shape=choose(np.arange(10), np.stack([next(v) for _ in range(10)], axis=1)),
        field=each[..., :_FIELD].reshape(-1, 10, WAVES * WAVES, 2),
    )


def choose(digits: I64, u: F32) -> I64:
    """Rows of `shapes()` for `digits`, chosen by uniform numbers; the two broadcast."""
    table = shapes()
    # Within digit d the chances rise to 1, so that d + chance rises over the whole table.
    rising = table.chance + np.repeat(np.arange(11), np.diff(table.first, append=len(table.chance)))
    return np.searchsorted(rising, digits + u, side="right")


def normals(u: F32) -> F32:
    """Standard normal numbers from as many uniform ones, (2 n, m) (Box-Muller)."""
    first, second = u[: len(u) // 2], u[len(u) // 2 :]
    radius = np.sqrt(-2 * np.log(1 - first))
    angle = 2 * np.pi * second
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
