from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shards.errors import UserError
from shards.labels import to_labels
from shards.manifest import read_manifest, shard_name, write_manifest
from shards.reader import DataSet, Shard
from shards.writer import write_shard

SPANS = {"test": (0, 20), "val": (20, 30), "train": (30, 100)}


def test_a_shard_gives_back_its_samples(tmp_path: Path, make_samples) -> None:
    samples = make_samples(50, ids=(0, 10**10))
    write_shard(tmp_path / "train-00000.tar", samples, 0)
    shard = Shard(tmp_path / "train-00000.tar")
    boxes, ids = shard.boxes_and_ids()
    assert np.array_equal(shard.images, samples.images)
    assert np.array_equal(shard.digits, samples.digits)
    assert np.array_equal(boxes, samples.boxes)
    assert np.array_equal(ids, samples.ids)
    assert shard.labels() == to_labels(samples.digits)
    assert (shard.digits.dtype, boxes.dtype, ids.dtype) == (np.int8, np.int16, np.int64)


def test_images_are_a_view_of_the_file(tmp_path: Path, make_samples) -> None:
    write_shard(tmp_path / "train-00000.tar", make_samples(3), 0)
    images = Shard(tmp_path / "train-00000.tar").images
    assert images.strides == (7168, 129, 1)
    assert not images.flags.writeable


@pytest.mark.parametrize("split", SPANS)
def test_gather_takes_any_sample_at_once(built, split: str) -> None:
    folder, samples = built
    first, stop = SPANS[split]
    dataset = DataSet(folder)
    indices = np.random.default_rng(1).integers(0, stop - first, 200)
    images, digits = dataset.gather(split, indices)
    assert dataset.count(split) == dataset.ready(split) == stop - first
    assert np.array_equal(images, samples.images[first + indices])
    assert np.array_equal(digits, samples.digits[first + indices])


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_gather_fills_what_it_is_given(built, kind: type) -> None:
    folder, samples = built
    out = np.full((300, 32, 128), 9, kind)
    indices = np.random.default_rng(2).integers(0, 70, 300)  # in more than one piece
    images, digits = DataSet(folder).gather("train", indices, out=out)
    assert images is out
    expected = samples.images[30 + indices]
    if kind is np.uint8:
        assert np.array_equal(out, expected)
    else:
        np.testing.assert_allclose(out, expected / np.float32(255), rtol=1.2e-7)
        assert out.max() == 1
    assert np.array_equal(digits, samples.digits[30 + indices])


@pytest.mark.parametrize("out", [np.zeros((3, 32, 128)), np.zeros((2, 32, 128), np.uint8)])
def test_gather_into_another_array_is_refused(built, out: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"not uint8 or float32 \(3, 32, 128\)"):
        DataSet(built[0]).gather("train", np.arange(3), out=out)


def test_gather_reads_no_sample_that_it_was_not_asked_for(built) -> None:
    folder, samples = built
    path = folder / "train-00001.tar"
    data = bytearray(path.read_bytes())
    data[5 * 7168 + 5632] = ord("x")  # the label of sample 32 + 5
    path.write_bytes(data)
    dataset = DataSet(folder)
    images, _ = dataset.gather("train", np.array([36, 1, 38]))
    assert np.array_equal(images, samples.images[[66, 31, 68]])
    with pytest.raises(UserError, match=r"train-00001\.tar has, at sample 000000067, a label"):
        dataset.gather("train", np.array([1, 36, 37]))


def test_gather_of_nothing_is_empty(built) -> None:
    images, digits = DataSet(built[0]).gather("val", np.array([], int))
    assert images.shape == (0, 32, 128)
    assert digits.shape == (0, 5)


@pytest.mark.parametrize("index", [-1, 70])
def test_an_index_outside_the_split_is_refused(built, index: int) -> None:
    with pytest.raises(UserError, match="'train', which has 70"):
        DataSet(built[0]).gather("train", np.array([3, index]))


def test_an_unknown_split_is_refused(built) -> None:
    with pytest.raises(UserError, match="no split 'dev': it has test, val, train"):
        DataSet(built[0]).count("dev")


@pytest.mark.parametrize("content", [b"", bytes(1000), bytes(1024 + 7168 + 1)])
def test_a_file_of_another_size_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(UserError, match=rf"{len(content)} bytes.*cut off or no shard"):
        Shard(tmp_path / "x.tar")


@pytest.mark.parametrize("text", [b"12345678", b"4a\0\0\0\0\0\0", bytes(8), b"1\0002\0\0\0\0\0"])
def test_a_bad_label_is_refused_by_name(tmp_path: Path, make_samples, text: bytes) -> None:
    path = tmp_path / "train-00000.tar"
    write_shard(path, make_samples(3), 500)
    data = bytearray(path.read_bytes())
    data[7168 + 5632 : 7168 + 5640] = text
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"train-00000\.tar has, at sample 000000501, a label"):
        _ = Shard(path).digits


def test_a_truncated_shard_is_refused(built) -> None:
    path = built[0] / "train-00001.tar"
    path.write_bytes(path.read_bytes()[:-7168])
    with pytest.raises(UserError, match="where its manifest says"):
        DataSet(built[0]).gather("train", np.array([40]))


def test_a_set_still_being_built_is_read_as_it_grows(built) -> None:
    folder, samples = built
    manifest = read_manifest(folder / "manifest.json")
    plan = replace(
        manifest,
        shards=[replace(entry, sha256=None) for entry in manifest.shards],
        histograms={},
    )
    write_manifest(plan, folder / "plan.json")
    (folder / "manifest.json").unlink()
    second = folder / "train-00001.tar"
    away = second.rename(folder / "aside")
    dataset = DataSet(folder)
    assert dataset.count("train") == 70
    assert dataset.ready("train") == 32  # the third shard is there, the second is not
    with pytest.raises(UserError, match=r"train-00001\.tar is missing: wait"):
        dataset.gather("train", np.array([32]))
    away.rename(second)
    (folder / "plan.json").rename(folder / "manifest.json")  # the build ends meanwhile
    assert dataset.ready("train") == 70
    assert np.array_equal(dataset.gather("train", np.array([69]))[0], samples.images[99:])


def test_more_shards_than_a_process_may_open_at_first(built) -> None:
    resource = pytest.importorskip("resource")  # Windows has none, and no such limit
    folder, samples = built
    manifest = read_manifest(folder / "manifest.json")
    last = manifest.shards[-1]
    data = (folder / last.file).read_bytes()
    train = [
        replace(last, file=shard_name("train", i), first_key=30 + i * last.count)
        for i in range(200)
    ]
    for entry in train:
        (folder / entry.file).write_bytes(data)
    others = [entry for entry in manifest.shards if entry.split != "train"]
    splits = manifest.splits | {"train": 200 * last.count}
    write_manifest(
        replace(manifest, shards=others + train, splits=splits), folder / "manifest.json"
    )
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, before[1]))
    try:
        images, _ = DataSet(folder).gather("train", np.arange(0, splits["train"], last.count))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (images == samples.images[-last.count]).all()


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match=r"neither manifest\.json nor plan\.json"):
            DataSet(folder)
