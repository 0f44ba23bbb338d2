"""A bank's HDF5 file, read by an allow-list: plain arrays that lie in the file, of known shapes.

HDF5 can also point into other files, call filters and declare arrays that are larger than the
file; none of that is followed. Texts are arrays of bytes, too: for strings of variable length
HDF5 has a heap, from which it does not come back where a free block of it has the size 0.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from generator.glyph import DIRECTIONS, SIZE
from generator.sources.digits import BANK_SPLITS
from shards.errors import UserError
from shards.schema import expect, expect_fields, reject

FORMAT = 3
ARRAYS: dict[str, tuple[tuple[int, ...], type]] = {
    "labels": ((), np.uint8),
    "images": ((SIZE, SIZE), np.uint8),
    "lines": ((SIZE, SIZE), np.uint8),
    "ink_reach": ((DIRECTIONS,), np.uint8),
    "line_reach": ((DIRECTIONS,), np.uint8),
    "offsets": ((2,), np.int8),
}
TEXTS = ("writers", "sources")  # JSON, uint8 (n,)
_WRITER = {"source": str, "name": str, "split": str, "first": int, "stop": int}
_SOURCE = {"name": str, "licence": str, "count": int, "sha256": str}
_AGAIN = "build it again with `generator digits`"

Arrays = dict[str, npt.NDArray[Any]]


def read_bank_file(path: Path) -> tuple[Arrays, list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the arrays of ARRAYS, mapped, and the writers and sources, as `Bank` has them.

    HDF5 only says where the arrays lie: it is this function that reads them.

    Raises:
        UserError: The file is missing, no digit bank or of another format, or a part of it, which
            is named, is not what a bank has.
    """
    if not path.is_file():
        raise UserError(f"there is no bank {path}; make one with `generator digits`")
    try:
        with h5py.File(path, "r") as file:
            _check_format(file, path)
            places = _places(file, path)
    except UserError:
        raise
    except Exception as error:  # h5py raises many classes for damaged and crafted files
        raise UserError(f"{path} is no digit bank ({error})") from error
    arrays: Arrays = {
        name: np.memmap(path, dtype, "r", offset, shape).view(np.ndarray)
        for name, (offset, shape, dtype) in places.items()
    }
    writers, sources = (
        _table(arrays.pop(name).tobytes(), fields, f"bank {path}: {name}")
        for name, fields in zip(TEXTS, (_WRITER, _SOURCE), strict=True)
    )
    _check_rows(arrays["labels"], writers, sources, f"bank {path}: writers")
    return arrays, writers, sources


def _check_format(file: h5py.File, path: Path) -> None:
    attribute = file.attrs.get_id("format") if "format" in file.attrs else None
    plain = attribute and attribute.shape == () and attribute.dtype.kind in "iu"
    found = int(file.attrs["format"]) if plain else None
    if found != FORMAT:
        raise UserError(
            f"bank {path} has the format {found}, but this version reads {FORMAT}; {_AGAIN}"
        )
    for name in file:
        if name not in (*ARRAYS, *TEXTS):
            raise UserError(f"bank {path}: {name!r} is no part of a bank; {_AGAIN}")


def _places(file: h5py.File, path: Path) -> dict[str, tuple[int, tuple[int, ...], type]]:
    """Return where the arrays lie in the file, with their shapes and types."""
    size = path.stat().st_size
    texts = dict.fromkeys(TEXTS, ((), np.uint8))
    places = {}
    for name, (shape, dtype) in (ARRAYS | texts).items():
        dataset = _dataset(file, name, path)
        count = _dataset(file, "labels" if name in ARRAYS else name, path).shape[:1]
        whole = (*count, *shape)
        layout = dataset.id.get_create_plist()
        plain = layout.get_layout() == h5py.h5d.CONTIGUOUS and not layout.get_external_count()
        offset = dataset.id.get_offset()
        if dataset.shape != whole or dataset.dtype != dtype or not plain or not offset:
            raise UserError(
                f"bank {path}: /{name} is {dataset.dtype} {dataset.shape}, not contiguous "
                f"{np.dtype(dtype)} {whole}; {_AGAIN}"
            )
        if offset + int(np.prod(whole)) > size:
            raise UserError(f"bank {path}: /{name} goes on after the end of the file; {_AGAIN}")
        places[name] = (offset, whole, dtype)
    return places


def _dataset(file: h5py.File, name: str, path: Path) -> h5py.Dataset:
    link = file.get(name, getlink=True)
    dataset = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(dataset, h5py.Dataset):
        raise UserError(f"bank {path}: /{name} is no array of the file itself; {_AGAIN}")
    return dataset


def _table(text: bytes, fields: dict[str, type], where: str) -> list[dict[str, Any]]:
    try:
        rows = expect(json.loads(text.decode()), list, where)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} are not JSON ({error}); {_AGAIN}") from error
    for i, row in enumerate(rows):
        expect_fields(row, tuple(fields), f"{where}[{i}]")
        for name, kind in fields.items():
            expect(row[name], kind, f"{where}[{i}]: {name}")
    return list(rows)


def _check_rows(
    labels: npt.NDArray[Any],
    writers: list[dict[str, Any]],
    sources: list[dict[str, Any]],
    where: str,
) -> None:
    """Refuse rows that are not sorted by split, source, writer and label, each of one writer."""
    names, row, last = {source["name"] for source in sources}, 0, (0, "")
    rising = np.ones(len(labels) + 1, bool)
    rising[1:-1] = labels[1:] >= labels[:-1]
    for i, writer in enumerate(writers):
        if writer["split"] not in BANK_SPLITS or writer["source"] not in names:
            reject(f"{where}[{i}]", "has a split or source that the bank does not have")
        place = (BANK_SPLITS.index(writer["split"]), writer["source"])
        if writer["first"] != row or writer["stop"] < row or place < last:
            reject(f"{where}[{i}]", "has rows out of sequence")
        row, last = writer["stop"], place
        rising[min(writer["first"], len(labels))] = True
    if row != len(labels):
        reject(where, f"have {row} rows, and there are {len(labels)} labels")
    if not rising.all() or (labels > 9).any():
        reject(where.replace("writers", "labels"), "are not 0 to 9, sorted for each writer")
