"""One shard, four readers: the same images and labels in all."""

import io
import json
import tarfile
from pathlib import Path

import datasets
import numpy as np
import pytest
import webdataset
from PIL import Image

from shards.labels import to_labels
from shards.reader import Shard
from shards.record import Samples
from shards.writer import write_shard


@pytest.fixture(scope="module")
def shard(tmp_path_factory, make_samples) -> tuple[Path, Samples]:
    path = tmp_path_factory.mktemp("interchange") / "train-00000.tar"
    samples = make_samples(24)
    write_shard(path, samples, 95)
    return path, samples


def check(samples: Samples, images: list[np.ndarray], labels: list[str]) -> None:
    assert np.array_equal(np.stack(images), samples.images)
    assert labels == to_labels(samples.digits)


def test_strided_reader(shard) -> None:
    path, samples = shard
    check(samples, list(Shard(path).images), Shard(path).labels())


def test_tarfile_and_pillow(shard) -> None:
    path, samples = shard
    images, labels = [], []
    with tarfile.open(path) as tar:
        names = tar.getnames()
        for key in range(95, 95 + len(samples)):
            png, txt = (tar.extractfile(f"{key:09}.{end}") for end in ("png", "txt"))
            data = io.BytesIO(png.read())
            Image.open(data).verify()  # the checksums
            images.append(np.asarray(Image.open(data)))
            labels.append(txt.read().decode())
    assert len(names) == 3 * len(samples)
    check(samples, images, labels)


def test_webdataset(shard) -> None:
    path, samples = shard
    dataset = webdataset.WebDataset(str(path), shardshuffle=False).decode("l8")
    found = list(dataset.to_tuple("__key__", "png", "txt", "json"))
    keys, images, labels, texts = zip(*found, strict=True)
    check(samples, images, list(labels))
    assert keys[0] == "000000095"
    for i, text in enumerate(texts):
        n = len(labels[i])
        assert text["label"] == labels[i]
        assert text["boxes"] == samples.boxes[i, :n].tolist()
        assert text["ids"] == samples.ids[i, :n].tolist()


def test_hugging_face_datasets(shard, tmp_path: Path) -> None:
    path, samples = shard
    dataset = datasets.load_dataset(
        "webdataset", data_files=str(path), split="train", cache_dir=str(tmp_path)
    )
    check(samples, [np.asarray(image) for image in dataset["png"]], list(dataset["txt"]))
    first = dataset[0]["json"]
    first = json.loads(first) if isinstance(first, str) else first
    assert first["ids"] == [i for i in samples.ids[0].tolist() if i >= 0]


def test_a_whole_folder_by_its_data_card(built, tmp_path: Path) -> None:
    folder, samples = built
    splits = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    labels = [label for name in ("test", "validation", "train") for label in splits[name]["txt"]]
    assert labels == to_labels(samples.digits)
