"""Sets inked digits into images of numbers, each pixel the lighter of the two."""

import numpy as np
import numpy.typing as npt

from generator.ink import RIM_X, RIM_Y, Strip
from generator.layout import Layout
from shards.canvas import HEIGHT, WIDTH

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Sheet:
    """Room for some numbers, with a margin on all sides in which the empty rims of tiles end."""

    def __init__(self, numbers: int) -> None:
        shape = (numbers, HEIGHT + 2 * RIM_Y, WIDTH + 2 * RIM_X)
        self._wide = np.zeros(shape, np.uint8)

    def compose(self, strips: list[Strip], layout: Layout, move: I64, wanted: Bools) -> U8:
        """Set the digits of a layout side by side.

        Args:
            strips: All its digits.
            layout: Of n numbers.
            move: int64 (n, 2), px across and down, added to the place of each tile.
            wanted: bool (n,), which numbers; their ink, moved, lies on the canvas.

        Returns:
            uint8 (m, 32, 128), the m wanted numbers; a view that the next call overwrites.
        """
        row = np.cumsum(wanted) - 1
        count = int(row[-1]) + 1
        self._wide[:count].fill(0)
        for strip in strips:
            digits, top, left = strip.digits, strip.top + RIM_Y, strip.left + RIM_X
            owner, place = layout.owner[digits], layout.place[digits]
            height, _, width = strip.tiles.shape
            windows = self._windows(height, width)
            # Two digits of one number never have one place: no window is written twice.
            for k in _by_value(np.where(wanted[owner], place, -1)):
                number = owner[k]
                spots = (row[number], top[k] + move[number, 1], left[k] + move[number, 0])
                ink = windows[spots]
                np.maximum(ink, strip.tiles[:, k].transpose(1, 0, 2), out=ink)
                windows[spots] = ink
        return self._wide[:count, RIM_Y:-RIM_Y, RIM_X:-RIM_X]

    def _windows(self, height: int, width: int) -> U8:
        """All parts of this size: (numbers, tops, lefts, height, width), a view.

        As of `sliding_window_view`, which takes 20 us.
        """
        numbers, rows, columns = self._wide.shape
        per_number, per_row, per_column = self._wide.strides
        return np.ndarray(
            (numbers, rows - height + 1, columns - width + 1, height, width),
            np.uint8,
            self._wide,
            strides=(per_number, per_row, per_column, per_row, per_column),
        )


def _by_value(places: I64) -> list[I64]:
    """The rows of each value from 0 on."""
    return [np.flatnonzero(places == value) for value in np.unique(places[places >= 0])]
