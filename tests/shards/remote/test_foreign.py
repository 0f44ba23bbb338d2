"""WebDatasets of others, compressed and at URLs: imported, and streamed by webdataset itself."""

import gzip
import importlib
import json
import subprocess
import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest
import webdataset
from PIL import Image

from shards.errors import UserError
from shards.foreign.importing import import_tars
from shards.reader import DataSet
from shards.record import Samples
from shards.remote.push import push
from shards.verify import verify
from tests.faults.tars import drawing, png, write_tar
from tests.shards.remote.server import serving


def write_foreign(folder: Path) -> list[str]:
    """Write three compressed tars of JPEGs and PNGs of any size; return their names."""
    names = ["train-0.tar.gz", "train-1.tgz", "val/000.tar"]
    for number, name in enumerate(names):
        files = {}
        for i in range(3):
            seed = 3 * number + i
            image = drawing(40 + 20 * i, 140 + 30 * number, seed)
            kind = "JPEG" if i else "PNG"
            files[f"s{seed}.{'jpg' if i else 'png'}"] = png(image, kind)
            files[f"s{seed}.txt"] = str(seed).encode()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tar(path, files)
        if name.endswith("gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    return names


def labels(folder: Path, split: str) -> list[str]:
    return [label for shard in DataSet(folder).shards(split) for label in shard.labels()]


def test_urls_and_files_give_the_same_set(tmp_path: Path) -> None:
    names = write_foreign(tmp_path / "in")
    with serving(tmp_path / "in") as site:
        site.token = "s3cret"
        for name in names:
            site.fail(name, "cut", "503")
        urls = [f"{site.url}/{name}?token=s3cret" for name in names]
        report = import_tars(urls, tmp_path / "out/set")
    assert (report.fitted, report.refused) == (9, [])
    assert labels(tmp_path / "out/set", "train") == ["0", "1", "2", "3", "4", "5"]
    assert labels(tmp_path / "out/set", "val") == ["6", "7", "8"]
    assert verify(tmp_path / "out/set") == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["set"]
    import_tars([tmp_path / "in"], tmp_path / "local/set")
    for path in (tmp_path / "local/set").iterdir():
        assert path.read_bytes() == (tmp_path / "out/set" / path.name).read_bytes(), path.name


def test_what_is_refused_has_the_name_that_was_given(tmp_path: Path) -> None:
    files = {"a.png": png(drawing()), "a.txt": b"1", "b.txt": b"2"}
    write_tar(tmp_path / "t.tar", files)
    hostile = write_tar(tmp_path / "evil.tar", {**files, "../x.txt": b"1"})
    hostile.write_bytes(gzip.compress(hostile.read_bytes()))
    with serving(tmp_path) as site:
        import_tars([f"{site.url}/t.tar?key=k3y"], tmp_path / "out")
        text = (tmp_path / "out/refused.jsonl").read_text()
        assert json.loads(text)["tar"] == f"{site.url}/t.tar?..."
        with pytest.raises(UserError, match=rf"^{site.url}/evil.tar: '../x.txt' leads out of"):
            import_tars([f"{site.url}/evil.tar"], tmp_path / "other")
        with pytest.raises(UserError, match=r"none\.tar is not there, or does not tell its size"):
            import_tars([f"{site.url}/none.tar"], tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_command_takes_urls(tmp_path: Path) -> None:
    names = write_foreign(tmp_path / "in")
    with serving(tmp_path / "in") as site:
        done = subprocess.run(
            [sys.executable, "-m", "shards", "import", *(f"{site.url}/{n}" for n in names), "set"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"PYTHONPATH": str(Path(__file__).parents[3]), "HOME": str(tmp_path)},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "set: 3 val, 6 train images, 0 as they were, 9 by fit()" in done.stdout


@pytest.fixture
def by_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let webdataset open http by fsspec: by itself it runs curl, which not every machine has."""

    def opened(url: str, mode: str = "rb", bufsize: int = 0, **_: object):
        return fsspec.open(url, mode).open()

    module = importlib.import_module("webdataset.gopen")  # of whose name there is a function, too
    monkeypatch.setitem(module.gopen_schemes, "http", opened)


def test_webdataset_streams_foreign_and_compact_tars(
    tmp_path: Path, built: tuple[Path, Samples], by_fsspec: None
) -> None:
    write_foreign(tmp_path / "in")
    push(built[0], tmp_path / "in/compact", packed=True)
    with serving(tmp_path / "in") as site:
        foreign = webdataset.WebDataset(f"{site.url}/train-{{0.tar.gz,1.tgz}}", shardshuffle=False)
        found = list(foreign.decode("pil").to_tuple("png;jpg", "txt"))
        ours = webdataset.WebDataset(
            f"{site.url}/compact/train-{{00000..00002}}.tar.gz", shardshuffle=False
        )
        images = [image for (image,) in ours.decode("l8").to_tuple("png")]
    assert [label for _, label in found] == ["0", "1", "2", "3", "4", "5"]
    assert all(isinstance(image, Image.Image) for image, _ in found)
    assert (np.stack(images) == built[1].images[30:]).all()
