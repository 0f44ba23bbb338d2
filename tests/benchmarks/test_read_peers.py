"""Every library that is here reads the same images as ours, once each, as floats in 0..1."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from shards.reader import DataSet
from tests.benchmarks import read_peers
from tests.benchmarks.timing import Task
from tests.shards.conftest import COUNTS, build_set

COUNT, BATCH = COUNTS["train"], 14


def by_webdataset(data: DataSet, folder: Path, batch: int) -> Task:
    return read_peers.by_webdataset(data.folder / "train-{00000..00002}.tar", batch)


@pytest.mark.parametrize(
    "reading",
    [by_webdataset, read_peers.by_datasets, read_peers.by_litdata, read_peers.by_mosaicml],
)
def test_peers_read_what_we_read(
    reading: Callable[[DataSet, Path, int], Task | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sums: list[float] = []

    def collect(batches: Iterable[Tensor]) -> int:
        for batch in batches:
            assert batch.shape == (BATCH, 1, 32, 128)
            sums.extend(batch.sum(dim=(1, 2, 3)).tolist())
        return len(sums)

    monkeypatch.setattr(read_peers, "_total", collect)
    (tmp_path / "set").mkdir()
    build_set(tmp_path / "set")
    data = DataSet(tmp_path / "set")
    task = reading(data, tmp_path, BATCH)
    if task is None:
        return  # not installed: nothing is compared with it either
    floats = np.empty((COUNT, 32, 128), np.float32)
    data.gather("train", np.arange(COUNT), out=floats)
    assert task(0) == COUNT
    assert sorted(sums) == pytest.approx(sorted(floats.sum(axis=(1, 2)).tolist()), rel=1e-4)
