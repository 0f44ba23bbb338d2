"""Push, stream and pull through a real S3 server on this machine (moto's), by s3fs."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from shards.errors import UserError
from shards.opening import open_data
from shards.reader import DataSet
from shards.record import Samples
from shards.remote.pull import pull
from shards.remote.push import push
from shards.verify import verify


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, request) -> Iterator[str]:
    """A bucket of the test's own, with credentials as a user has them."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    name = request.node.name.replace("_", "-").split("[")[0][:60]
    boto3.client("s3").create_bucket(Bucket=name)
    yield name
    S3FileSystem.clear_instance_cache()


def keys(bucket: str) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket)
    return [item["Key"] for item in listed.get("Contents", [])]


@pytest.mark.parametrize("packed", [False, True])
def test_push_stream_pull(
    built: tuple[Path, Samples], tmp_path: Path, bucket: str, packed: bool
) -> None:
    folder, url = built[0], f"s3://{bucket}/numbers/{packed}"
    push(folder, url, packed)
    ending = ".tar.gz" if packed else ".tar"
    assert f"numbers/{packed}/train-00002{ending}" in keys(bucket)
    again = push(folder, url, packed)
    assert (again.sent, again.kept) == (0, 5)
    rows = np.arange(70)[::-1]
    right = DataSet(folder).gather("train", rows)
    for found, wanted in zip(open_data(url).gather("train", rows), right, strict=True):
        assert (found == wanted).all()
    pull(url, tmp_path / "back")
    assert verify(tmp_path / "back") == []
    for path in folder.glob("*.tar"):
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()


def test_a_cut_push_reads_back_what_is_there(built: tuple[Path, Samples], bucket: str) -> None:
    folder, client = built[0], boto3.client("s3")
    url = f"s3://{bucket}/set"
    right = (folder / "train-00000.tar").read_bytes()
    client.put_object(Bucket=bucket, Key="set/train-00000.tar", Body=right)
    assert (push(folder, url).sent, push(folder, url).sent) == (4, 0)
    client.delete_object(Bucket=bucket, Key="set/manifest.json")
    client.put_object(Bucket=bucket, Key="set/train-00000.tar", Body=right[:-1] + b"\1")
    with pytest.raises(UserError, match=r"set/train-00000\.tar is there, and not of this data set"):
        push(folder, url)


def test_what_s3_refuses_is_told_in_one_sentence(
    built: tuple[Path, Samples], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"s3://.*/nothing is no data set: it has neither"):
        open_data(f"s3://{bucket}/nothing")
    with pytest.raises(UserError, match="s3://no-such-bucket/set.*could not be reached"):
        push(built[0], "s3://no-such-bucket/set")
