"""Push and pull: to folders and S3, from folders, HTTP and S3; plain and compact."""

import shutil
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import webdataset
from PIL import Image

from shards import manifest
from shards.compact import Packed, compact_text
from shards.errors import UserError
from shards.labels import to_labels
from shards.manifest import MAX_SHARDS, read_manifest, write_manifest
from shards.preview import save_preview
from shards.reader import DataSet
from shards.record import Samples
from shards.remote import index, retry
from shards.remote import push as push_module
from shards.remote.cache import Cache
from shards.remote.pull import pull
from shards.remote.push import push
from shards.remote.stream import Streamed
from shards.verify import verify
from tests.shards.remote.server import Site, serving

MANIFESTS = ("manifest.json", "compact.json")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def shards(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if name.endswith(".tar")}


def test_the_largest_set_is_not_too_large_to_be_found_again(folder: Path) -> None:
    entry = {"split": "train", "sha256": "f" * 64, "count": 10**4, "bytes": 10**8}
    shards = [
        replace(
            read_manifest(folder / "manifest.json").shards[0], **entry, file=f"train-{n:05}.tar"
        )
        for n in range(MAX_SHARDS)
    ]
    text = replace(read_manifest(folder / "manifest.json"), shards=shards).to_json().encode()
    assert len(text) < manifest._MAX_BYTES
    packed = {e.file: Packed(f"{e.file}.gz", e.bytes, "f" * 64) for e in shards}
    assert len(compact_text(text, packed)) < index._MAX_BYTES


def test_a_place_below_a_file_is_told_at_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="file is a file: name another folder"):
        push(folder, str(tmp_path / "file/numbers"))
    with pytest.raises(UserError, match="file is a file: name the folder of a data set"):
        pull(tmp_path / "file", tmp_path / "back")
    with pytest.raises(UserError, match="a file is where a folder should be.*: check the URL"):
        push(folder, f"file://{tmp_path}/file/numbers")


@pytest.fixture
def folder(built: tuple[Path, Samples]) -> Path:
    return built[0]


@pytest.mark.parametrize("packed", [False, True])
def test_there_and_back_the_same_bytes(folder: Path, tmp_path: Path, packed: bool) -> None:
    done = push(folder, tmp_path / "there", packed)
    assert (done.sent, done.kept) == (5, 0)
    assert done.bytes == sum(path.stat().st_size for path in (tmp_path / "there").glob("*.tar*"))
    assert pull(tmp_path / "there", tmp_path / "back") == 5
    assert shards(tmp_path / "back") == shards(folder)
    assert (tmp_path / "back/manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert (tmp_path / "back/README.md").read_bytes() == (folder / "README.md").read_bytes()
    save_preview(DataSet(folder))
    picture = (folder / "preview.png").read_bytes()
    assert (tmp_path / "back/preview.png").read_bytes() == picture
    assert verify(tmp_path / "back") == []
    assert {path.name for path in (tmp_path / "back").iterdir()} == {
        *shards(folder), "manifest.json", "README.md", "preview.png",
    }  # fmt: skip


def test_packed_shards_are_read_by_others(built: tuple[Path, Samples], tmp_path: Path) -> None:
    folder, samples = built
    push(folder, tmp_path / "there", packed=True)
    stream = webdataset.WebDataset(
        [str(path) for path in sorted((tmp_path / "there").glob("train-*.tar.gz"))],
        shardshuffle=False,
    )
    found = list(stream.decode("l8").to_tuple("png", "txt"))
    assert (np.stack([image for image, _ in found]) == samples.images[30:]).all()
    assert [label for _, label in found] == to_labels(samples.digits[30:])
    splits = datasets.load_dataset(str(tmp_path / "there"), cache_dir=str(tmp_path / "cache"))
    assert list(splits["train"]["txt"]) == to_labels(samples.digits[30:])
    assert (np.asarray(splits["test"][0]["png"]) == samples.images[0]).all()


def test_a_compact_set_is_no_set_until_it_is_expanded(folder: Path, tmp_path: Path) -> None:
    push(folder, tmp_path / "there", packed=True)
    for look in (DataSet, verify):
        with pytest.raises(UserError, match=r"is a compact data set: run shards expand .*there FO"):
            look(tmp_path / "there")


def test_a_compact_set_streams_from_a_server(folder: Path, tmp_path: Path) -> None:
    push(folder, tmp_path / "there", packed=True)
    right = DataSet(folder)
    with serving(tmp_path / "there") as site:
        site.fail("train-00001.tar.gz", "cut", "corrupt")
        streamed = Streamed(site.url, Cache(tmp_path / "cache", 10**9))
        rows = np.arange(70)[::-1]
        assert (streamed.gather("train", rows)[0] == right.gather("train", rows)[0]).all()
        assert verify(site.url) == []
        assert all(name.endswith((".json", ".tar.gz")) for name, _, _ in site.asked)


def test_a_packed_shard_that_holds_another_is_refused(folder: Path, tmp_path: Path) -> None:
    push(folder, tmp_path / "there", packed=True)
    text = (tmp_path / "there/compact.json").read_text()
    a, b = (f"train-0000{number}.tar.gz" for number in (0, 1))
    swapped = text.replace(a, "x").replace(b, a).replace('"x"', f'"{b}"')
    shutil.move(tmp_path / "there" / a, tmp_path / "x")
    shutil.move(tmp_path / "there" / b, tmp_path / "there" / a)
    shutil.move(tmp_path / "x", tmp_path / "there" / b)
    lines = swapped.split('"shards": [')
    (tmp_path / "there/compact.json").write_text('"shards": ['.join(lines))
    with pytest.raises(UserError, match="packs other shards than its manifest has"):
        pull(tmp_path / "there", tmp_path / "back")
    assert not (tmp_path / "back/manifest.json").exists()


def test_a_cut_push_is_no_set_and_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, right = tmp_path / "there", shards(folder)
    damaged = folder / "train-00002.tar"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\1")
    monkeypatch.setattr(push_module, "_BATCH", 2)
    with pytest.raises(UserError, match=r"train-00002\.tar has SHA-256 .*: nothing of it is sent"):
        push(folder, there)
    assert set(files(there)) == set(right) - {"train-00002.tar"}
    with pytest.raises(UserError, match="is no data set: it has neither manifest"):
        pull(there, tmp_path / "back")
    damaged.write_bytes(right["train-00002.tar"])
    done = push(folder, there)
    assert (done.sent, done.kept) == (1, 4)
    assert verify(there) == []


def test_the_manifest_goes_last(folder: Path, tmp_path: Path, monkeypatch) -> None:
    from shards.remote.place import Place

    order: list[str] = []
    put = Place._put
    monkeypatch.setattr(
        Place, "_put", lambda self, path, file: (order.append(file), put(self, path, file))
    )
    push(folder, tmp_path / "there")
    assert order[-1] == "manifest.json"
    assert set(order) == set(files(tmp_path / "there"))


def test_a_set_that_has_grown_sends_and_fetches_what_is_new(
    built: tuple[Path, Samples], tmp_path: Path
) -> None:
    folder, there, back = built[0], tmp_path / "there", tmp_path / "back"
    whole = read_manifest(folder / "manifest.json")
    younger = tmp_path / "younger"
    shutil.copytree(folder, younger)
    (younger / "train-00002.tar").unlink()
    splits = {**whole.splits, "train": 64}
    before = {**vars(whole), "splits": splits, "shards": whole.shards[:-1], "version": "0.9.0"}
    write_manifest(type(whole)(**before), younger / "manifest.json")
    push(younger, there)
    pull(there, back)
    done = push(folder, there)
    assert (done.sent, done.kept) == (1, 4)
    assert pull(there, back) == 1
    assert verify(back) == []
    with pytest.raises(UserError, match=r"holds noise 1\.0\.0, which is no part of noise 0\.9\.0"):
        push(younger, there)
    with pytest.raises(UserError, match=r"holds noise 1\.0\.0, which is no part of noise 0\.9\.0"):
        pull(younger, back)


def test_another_set_is_left_alone(folder: Path, tmp_path: Path, make_samples) -> None:
    other, there = tmp_path / "other", tmp_path / "there"
    there.mkdir()
    (there / "train-00001.tar").write_bytes(b"someone's")
    (there / "notes.txt").write_text("mine")
    for push_or_pull in (push, pull):
        with pytest.raises(UserError, match=r"train-00001\.tar is (there, and not of|not that of)"):
            push_or_pull(folder, there)
    assert (there / "train-00001.tar").read_bytes() == b"someone's"
    assert not any((there / name).exists() for name in MANIFESTS)
    (there / "train-00001.tar").unlink()
    push(folder, there)
    assert (there / "notes.txt").read_text() == "mine"
    with pytest.raises(UserError, match="in the plain form: name another place, .* without --com"):
        push(folder, there, packed=True)
    push(folder, other, packed=True)
    with pytest.raises(UserError, match="in the compact form: name another place, .* with --compa"):
        push(folder, other)


def test_a_card_that_someone_has_edited_stays(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    assert push(folder, there).card
    assert push(folder, there).card
    (there / "README.md").write_text("edited")
    assert not push(folder, there).card
    assert (there / "README.md").read_text() == "edited"


@pytest.mark.parametrize("packed", [False, True])
def test_a_card_that_was_edited_here_is_sent(folder: Path, tmp_path: Path, packed: bool) -> None:
    there = tmp_path / "there"
    assert push(folder, there, packed).card
    (folder / "README.md").write_text("by hand")
    for _ in range(2):
        assert push(folder, there, packed).card
        assert (there / "README.md").read_text() == "by hand"


def test_no_server_of_web_pages_is_pushed_to(folder: Path) -> None:
    with pytest.raises(UserError, match="http://127.0.0.1:9/x takes no files: push to a folder"):
        push(folder, "http://127.0.0.1:9/x")


def test_a_set_that_is_still_being_built_is_not_pushed(folder: Path, tmp_path: Path) -> None:
    (folder / "manifest.json").rename(folder / "plan.json")
    with pytest.raises(UserError, match=r"is still being built: push it once it has a manifest"):
        push(folder, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_cut_pull_is_no_set_and_goes_on_within_the_shard(
    site: Site, tmp_path: Path, pieces: int
) -> None:
    back = tmp_path / "back"
    site.fail("train-00000.tar", "fine", *["500"] * retry.TRIES)
    with pytest.raises(UserError, match=r"train-00000\.tar could not be reached 6 times in a row"):
        pull(site.url, back)
    with pytest.raises(UserError, match="is no data set"):
        DataSet(back)
    assert (back / ".train-00000.tar.part").stat().st_size == pieces
    site.asked.clear()
    pull(site.url, back)
    assert min(site.asked_of("train-00000.tar"))[0] == pieces
    assert shards(back) == shards(site.folder)
    assert verify(back) == []
    assert not list(back.glob(".*"))


def test_nothing_corrupt_is_pulled(site: Site, tmp_path: Path) -> None:
    site.fail("train-00001.tar", "corrupt", "cut", "corrupt")
    pull(site.url, tmp_path / "back")
    assert verify(tmp_path / "back") == []
    site.fail("test-00000.tar", *["corrupt"] * 3)
    with pytest.raises(UserError, match=r"test-00000\.tar was fetched 3 times and never had the"):
        pull(site.url, tmp_path / "again")
    assert not (tmp_path / "again/test-00000.tar").exists()
    assert not (tmp_path / "again/manifest.json").exists()


def test_a_picture_that_others_can_see_comes_from_the_shards(folder: Path, tmp_path: Path) -> None:
    (folder / "preview.png").write_bytes(b"no picture")
    pull(folder, tmp_path / "back")
    with Image.open(tmp_path / "back/preview.png") as image:
        image.load()
