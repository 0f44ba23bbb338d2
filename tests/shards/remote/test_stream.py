"""Reading over HTTP, from a server that stalls, cuts, refuses and corrupts."""

import errno
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from shards.errors import UserError
from shards.opening import open_data
from shards.reader import DataSet
from shards.remote import cache as module
from shards.remote import place, retry, stream
from shards.remote.cache import Cache
from shards.remote.stream import Streamed
from tests.shards.remote.server import Site

TRAIN = ["train-00000.tar", "train-00001.tar", "train-00002.tar"]  # 32, 32 and 6 samples


def assert_same(found: DataSet, right: DataSet, split: str = "train") -> None:
    everything = np.random.default_rng(0).permutation(right.count(split))
    for a, b in zip(found.gather(split, everything), right.gather(split, everything), strict=True):
        assert (a == b).all()


def wait_for(condition) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("it never happened")


def test_what_is_gathered_is_what_is_served(site: Site, data: DataSet, cache: Cache) -> None:
    streamed = Streamed(site.url, cache)
    assert streamed.manifest == data.manifest
    for split in ("train", "val", "test"):
        assert_same(streamed, data, split)
    assert {path.name for path in cache.folder.glob("*.tar")} == {
        f"{entry.sha256}.tar" for entry in data.manifest.shards
    }


def test_only_what_is_needed_is_waited_for_and_the_next_is_fetched_ahead(
    site: Site, data: DataSet, cache: Cache
) -> None:
    streamed = Streamed(site.url, cache)
    site.fail(TRAIN[1], "stall")  # nobody needs it yet
    images = streamed.gather("train", np.arange(32))[0]
    assert (images == data.gather("train", np.arange(32))[0]).all()
    wait_for(lambda: cache.has(data.manifest.shards[-1]))
    assert not site.asked_of("val-00000.tar")


def test_what_is_in_the_cache_is_not_fetched_again(site: Site, data: DataSet, cache: Cache) -> None:
    assert_same(Streamed(site.url, cache), data)
    site.asked.clear()
    assert_same(Streamed(site.url, cache), data)
    assert {name for name, _, _ in site.asked} == {"manifest.json"}


def test_a_cut_download_goes_on_where_it_ended(
    site: Site, data: DataSet, cache: Cache, pieces: int
) -> None:
    site.fail(TRAIN[0], "fine", *["500"] * retry.TRIES)
    streamed = Streamed(site.url, cache)
    with pytest.raises(UserError, match=r"train-00000\.tar could not be reached 6 times in a row "):
        streamed.gather("train", np.arange(1))
    part = next(cache.folder.glob(f"{data.manifest.shards[-3].sha256}.*.part"))
    assert part.stat().st_size == pieces
    site.asked.clear()
    assert_same(Streamed(site.url, cache), data)
    assert min(site.asked_of(TRAIN[0]))[0] == pieces


def test_cuts_in_the_middle_and_errors_of_the_server_are_tried_again(
    site: Site, data: DataSet, cache: Cache, pieces: int
) -> None:
    for file in TRAIN:
        site.fail(file, "cut", "500", "503", "429", "fine", "cut")
    site.fail("manifest.json", "503", "cut")
    assert_same(Streamed(site.url, cache), data)


def test_a_stall_times_out_and_is_tried_again(
    site: Site, data: DataSet, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "STALL", 0.5)
    site.fail(TRAIN[0], "stall", "stall")
    assert_same(Streamed(site.url, cache), data)
    site.fail("val-00000.tar", *["stall"] * retry.TRIES)
    with pytest.raises(UserError, match=r"val-00000\.tar could not .* \(it stalls\): try again"):
        Streamed(site.url, cache).gather("val", np.arange(1))


def test_pauses_grow_and_are_random(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.5)
    monkeypatch.setattr(retry.time, "sleep", pauses.append)

    def refuse(tried: int) -> None:
        raise ConnectionResetError

    with pytest.raises(UserError, match=r"^it could not be reached 6 times in a row \(Connection"):
        retry.persistently("it", refuse)
    assert len(pauses) == retry.TRIES - 1
    assert all(0.1 * 0.5 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(pauses))
    assert len({pause / 2**n for n, pause in enumerate(pauses)}) == len(pauses)


def test_corrupt_bytes_are_fetched_again_and_never_used(
    site: Site, data: DataSet, cache: Cache
) -> None:
    site.fail(TRAIN[0], "corrupt", "corrupt")
    assert_same(Streamed(site.url, cache), data)
    (site.folder / "val-00000.tar").write_bytes(bytes(data.manifest.shards[1].bytes))
    with pytest.raises(UserError, match=r"val-00000\.tar was fetched 3 times and never had the"):
        Streamed(site.url, cache).gather("val", np.arange(1))
    assert not cache.has(data.manifest.shards[1])


def test_what_has_rotted_in_the_cache_is_fetched_again(
    site: Site, data: DataSet, cache: Cache
) -> None:
    assert_same(Streamed(site.url, cache), data)
    rotten = cache.path(data.manifest.shards[-2])
    rotten.write_bytes(bytes(len(rotten.read_bytes())))
    assert_same(Streamed(site.url, cache), data)


def test_a_full_disk_is_told(
    site: Site, data: DataSet, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stream, "fetch_shard", full)
    with pytest.raises(UserError, match=r"\.tar could not be written \(No space left on device\)"):
        Streamed(site.url, cache).gather("train", np.arange(1))


def test_a_part_that_is_not_of_the_shard_is_fetched_anew(
    site: Site, data: DataSet, cache: Cache, pieces: int
) -> None:
    for entry in data.manifest.shards:
        for size in (pieces, entry.bytes + 9):
            path = cache.folder / f"{entry.sha256}.{entry.bytes}.part"
            path.write_bytes(bytes(size))
    assert_same(Streamed(site.url, cache), data)


def test_a_server_that_knows_no_ranges(
    site: Site, data: DataSet, cache: Cache, pieces: int
) -> None:
    site.ranges = False
    assert_same(Streamed(site.url, cache), data)
    assert len(site.asked_of(TRAIN[0])) == 1  # the first answer had it all


def test_what_is_not_there_or_not_allowed_is_told_at_once(site: Site, cache: Cache) -> None:
    (site.folder / TRAIN[0]).unlink()
    with pytest.raises(UserError, match=r"\(it is not there\): check the URL"):
        Streamed(site.url, cache).gather("train", np.arange(1))
    assert len(site.asked_of(TRAIN[0])) == 0
    with pytest.raises(UserError, match="/nothing is no data set: it has neither manifest.json"):
        Streamed(f"{site.url}/nothing", cache)
    site.fail("val-00000.tar", "403")
    with pytest.raises(UserError, match=r"\(access is denied\): check the URL and your rights"):
        Streamed(site.url, cache).gather("val", np.arange(1))


def test_secrets_of_a_url_are_used_and_not_shown(site: Site, data: DataSet, cache: Cache) -> None:
    site.token = "s3cret"
    host = site.url.removeprefix("http://")
    url = f"http://ann:pa55@{host}?token=s3cret"
    streamed = Streamed(url, cache)
    assert_same(streamed, data)
    site.token = "another"
    site.fail("val-00000.tar", "403")
    with pytest.raises(UserError) as told:
        streamed.gather("val", np.arange(1))
    with pytest.raises(UserError) as told_too:
        Streamed(url, cache)
    for error in (told, told_too):
        text = str(error.getrepr(style="long"))
        message = str(error.value)
        assert host in message
        assert "s3cret" not in message + str(error.value.__cause__)
        assert "pa55" not in message
        assert text


def test_a_manifest_that_is_none(site: Site, cache: Cache) -> None:
    (site.folder / "manifest.json").write_text('{"format": 1}')
    with pytest.raises(UserError, match=r"manifest\.json lacks the field 'name'"):
        open_data(site.url)


def test_the_cache_stays_bounded_and_what_is_in_use_stays(
    site: Site, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    one, two, three = data.manifest.shards[-3:]  # of 32, 32 and 6 samples
    cache = Cache(tmp_path / "small", one.bytes + three.bytes + 1000)
    streamed = Streamed(site.url, cache)
    for start, used, other in ((0, one, two), (32, two, one), (0, one, two)):
        rows = np.arange(start, start + 32)
        assert (streamed.gather("train", rows)[0] == data.gather("train", rows)[0]).all()
        with pytest.raises(UserError, match=r"too much is in use for train-0000.\.tar to fit: set"):
            Cache(cache.folder, cache.limit).add(other, lambda _: pytest.fail("there is no room"))
        assert cache.has(used)
        assert sum(path.stat().st_size for path in cache.folder.iterdir()) <= cache.limit


def test_the_least_recently_used_goes_first(data: DataSet, cache: Cache) -> None:
    one, two, three = data.manifest.shards[-3:]
    for age, entry in enumerate((two, one)):
        cache.path(entry).write_bytes(bytes(entry.bytes))
        os.utime(cache.path(entry), (10**9 + age, 10**9 + age))
    held = cache.hold(two)  # which makes it the latest, and is let go
    assert held is not None
    held.close()
    smaller = Cache(cache.folder, two.bytes + three.bytes)
    smaller.add(three, lambda part: part.write_bytes(bytes(three.bytes)) and None)
    assert [cache.has(entry) for entry in (one, two, three)] == [False, True, True]


def test_a_reader_that_is_killed_leaves_nothing_locked(
    site: Site, data: DataSet, tmp_path: Path, cache: Cache
) -> None:
    site.fail(TRAIN[0], "stall")
    context = multiprocessing.get_context("spawn")
    arguments = (site.url, str(cache.folder), 10**9, 0, context.Queue())
    reader = context.Process(target=_read, args=arguments)
    reader.start()
    wait_for(lambda: site.asked_of(TRAIN[0]) and any(cache.folder.glob("*.part")))
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGKILL)
    reader.join()
    assert_same(Streamed(site.url, cache), data)


def test_more_than_the_cache_holds_is_refused(site: Site, tmp_path: Path) -> None:
    streamed = Streamed(site.url, Cache(tmp_path / "small", 300_000))
    with pytest.raises(UserError, match=r"2 shards of http://.* are needed at once, .* GB, and"):
        streamed.gather("train", np.array([0, 40]))


def test_a_limit_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("many", "0", "inf", "nan"):
        monkeypatch.setenv("DIGIT_READERS_CACHE_GB", text)
        with pytest.raises(UserError, match=f"DIGIT_READERS_CACHE_GB is '{text}': give gigabytes"):
            Cache.of_user()


def _read(url: str, folder: str, limit: int, seed: int, queue) -> None:
    streamed = Streamed(url, Cache(Path(folder), limit))
    total = 0
    for number in np.random.default_rng(seed).permutation(np.repeat(np.arange(70), 2)):
        total += int(streamed.gather("train", np.array([number]))[0].sum(dtype=np.int64))
    queue.put(total)


@pytest.mark.parametrize("roomy", [True, False])
def test_processes_share_a_cache(site: Site, data: DataSet, tmp_path: Path, roomy: bool) -> None:
    right = 2 * int(data.gather("train", np.arange(70))[0].sum(dtype=np.int64))
    sizes = [entry.bytes for entry in data.manifest.shards[-3:]]
    limit = 10**9 if roomy else sum(sizes) + 1000  # each holds one shard at a time
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = (site.url, str(tmp_path / "shared"), limit)
    readers = [context.Process(target=_read, args=(*arguments, n, queue)) for n in range(3)]
    for reader in readers:
        reader.start()
    assert [queue.get(timeout=60) for _ in readers] == [right] * 3
    for reader in readers:
        reader.join()
    if roomy:
        spans = site.asked_of(TRAIN[0])
        assert len(spans) == len(set(spans))  # of three readers one has fetched it
    assert sum(p.stat().st_size for p in (tmp_path / "shared").iterdir()) <= limit
