"""Several data sets read as one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.errors import UserError
from shards.joined import Joined
from shards.reader import DataSet
from tests.trainer.conftest import write_data_set

TRAIN = {"first": 6, "second": 10, "third": 4}
TOTAL = sum(TRAIN.values())


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[DataSet]:
    folder: Path = tmp_path_factory.mktemp("sets")
    return [
        DataSet(write_data_set(folder / name, {"test": 2, "val": 2, "train": count}, name))
        for name, count in TRAIN.items()
    ]


def everything(sets: list[DataSet], most: int) -> tuple[np.ndarray, np.ndarray]:
    parts = [data.gather("train", np.arange(min(data.count("train"), most))) for data in sets]
    images, digits = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(digits)


@given(st.lists(st.integers(0, TOTAL - 1), max_size=30))
def test_samples_are_those_of_the_sets_one_after_the_other(
    sets: list[DataSet], rows: list[int]
) -> None:
    images, digits = everything(sets, TOTAL)
    found = Joined(sets).gather("train", np.array(rows, np.int64))
    assert (found[0] == images[rows]).all()
    assert (found[1] == digits[rows]).all()


def test_at_most_so_many_are_taken_of_each(sets: list[DataSet]) -> None:
    joined = Joined(sets, most=[5] * len(sets))
    assert [joined.count(split) for split in ("train", "val", "test")] == [14, 6, 6]
    assert joined.ready("train") == 14
    out = np.empty((14, 32, 128), np.uint8)
    images, digits = joined.gather("train", np.arange(14), out)
    assert images is out
    wanted = everything(sets, 5)
    assert (images == wanted[0]).all()
    assert (digits == wanted[1]).all()
    with pytest.raises(UserError, match="which has 14"):
        joined.gather("train", np.array([14]))


def test_a_set_without_a_limit_gives_all(sets: list[DataSet]) -> None:
    counts = [data.count("train") for data in sets]
    joined = Joined(sets, most=[None, 3])
    assert joined.count("train") == sum(counts) - counts[1] + min(3, counts[1])


def test_another_mixture_has_another_fingerprint(sets: list[DataSet]) -> None:
    joined = [Joined(sets), Joined(sets, [5]), Joined(sets[::-1]), Joined(sets[:2])]
    assert len({data.manifest.fingerprint for data in joined}) == 4
    assert joined[0].manifest.name == "first+second+third"


def test_floats_fill_0_to_1_as_those_of_a_set_do(sets: list[DataSet]) -> None:
    out = np.empty((TOTAL, 32, 128), np.float32)
    images, _ = Joined(sets).gather("train", np.arange(TOTAL), out)
    wanted, _ = everything(sets, TOTAL)
    assert images is out
    assert np.array_equal(out, wanted.astype(np.float32) * np.float32(1 / 255))


def test_a_sample_is_named_by_its_set_and_its_key(sets: list[DataSet]) -> None:
    names = Joined(sets).names("train", np.array([6, 0, 19]))
    keys = [sets[0].names("train", np.array([0])), sets[1].names("train", np.array([0]))]
    assert names[:2] == [f"second/{keys[1][0]}", f"first/{keys[0][0]}"]
    assert names[2].startswith("third/")


def test_each_set_fetches_what_is_its_own(sets: list[DataSet]) -> None:
    asked: dict[str, list[int]] = {}

    class Noting(DataSet):
        def prepare(self, split: str, indices: np.ndarray) -> None:
            asked[f"{self.manifest.name}, {split}"] = indices.tolist()

    Joined([Noting(data.folder) for data in sets]).prepare("train", np.array([[5, 6], [7, 0]]))
    assert asked == {"first, train": [5, 0], "second, train": [0, 1]}
