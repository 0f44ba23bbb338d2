"""What every source of digits yields."""

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shards.errors import UserError

BANK_SPLITS = ("train", "val", "test")  # in the order of a bank


@dataclass(frozen=True)
class Digits:
    """The n digits of one source, in the bank's frame."""

    name: str
    licence: str
    images: npt.NDArray[np.uint8]  # (n, 56, 56), white ink on black
    offsets: npt.NDArray[np.int8]  # (n, 2), see glyph.from_mnist
    labels: npt.NDArray[np.uint8]  # (n,), 0 to 9
    writers: npt.NDArray[np.str_]  # (n,)
    splits: dict[str, str]  # the split of each writer
    # (n, 56, 56), the images, but drawn by a hair where the strokes are known; None: nowhere
    hairlines: npt.NDArray[np.uint8] | None = None

    def at_most(self, per_class: int) -> "Digits":
        """The same source with at most `per_class` of each digit, spread over it evenly."""
        rows = [np.flatnonzero(self.labels == digit) for digit in range(10)]
        kept = [r[np.unique(np.linspace(0, len(r) - 1, per_class).astype(int))] for r in rows]
        keep = np.sort(np.concatenate(kept))
        names = ("images", "offsets", "labels", "writers", "hairlines")
        arrays = {n: a[keep] for n in names if (a := getattr(self, n)) is not None}
        return dataclasses.replace(self, **arrays)

    def sha256(self) -> str:
        """Hash over every image, label, writer, split and hairline, in order."""
        digest = hashlib.sha256()
        writers = np.char.encode(self.writers, "utf-8").astype("S64")
        for array in (self.images, self.offsets, self.labels, writers, self.hairlines):
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(repr(sorted(self.splits.items())).encode())
        return digest.hexdigest()


def same_hands(sources: list[Digits]) -> list[Digits]:
    """The sources, each writer in the split that the last source with one of that name says."""
    splits: dict[str, str] = {}
    for source in sources:
        splits |= source.splits
    return [
        dataclasses.replace(source, splits={name: splits[name] for name in source.splits})
        for source in sources
    ]


def split_writers(writers: list[str], val: float, test: float) -> dict[str, str]:
    """Deal writers into splits, in the order of a hash of their names.

    Args:
        writers: Distinct names.
        val: Share of the writers for validation, 0 to 1.
        test: Share for testing.

    Returns:
        The split of each writer. Fewer than three writers all train, unless a share is 1; otherwise
        each split with a share above 0 gets at least one.

    Raises:
        UserError: The shares leave nobody to train, and none of them is 1, which says so.
    """
    ordered = sorted(writers, key=lambda name: hashlib.sha256(name.encode()).digest())
    if len(ordered) < len(BANK_SPLITS) and max(val, test) < 1:
        return dict.fromkeys(ordered, "train")
    tests, vals = (max(1, round(share * len(ordered))) if share else 0 for share in (test, val))
    if tests + vals >= len(ordered) and max(val, test) < 1:
        raise UserError(
            f"a share of {val:g} for val and one of {test:g} for test leave none of "
            f"{len(ordered)} writers to train; lower them, or make one of them 1: all"
        )
    names = ["test"] * tests + ["val"] * vals + ["train"] * (len(ordered) - tests - vals)
    return dict(zip(ordered, names, strict=False))  # shares of 1 and more: some are left over
