"""Builds on a real Ray cluster of several nodes, all on this machine."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest
from ray.cluster_utils import Cluster as Nodes

from generator.bank import Bank
from generator.build import build
from generator.cluster import cluster
from generator.cluster.cluster import Cluster
from generator.cluster.parcel import pack
from generator.plan import Order, tools
from generator.recipe import preset
from generator.runners import Runner
from generator.shard_job import ShardJob
from generator.stream import BankStream
from generator.workers import Failure
from shards.errors import UserError
from shards.finish import Result
from shards.manifest import ShardEntry
from shards.verify import verify
from tests.faults import builds
from tests.faults.builds import assert_nothing_is_half, command, contents, generator, wait_until
from tests.faults.faulty import FaultyStream

SPLITS = {"train": 200, "val": 20, "test": 20}
# Nodes that die are noticed within a second or two, not 20.
HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 2_000,
    "health_check_failure_threshold": 4,
}


def order(folder: Path, bank: Bank) -> Order:
    return Order(folder, BankStream(bank, preset("child"), 1), SPLITS, shard_size=10)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head that builds nothing, and two nodes of one core."""
    found = Nodes(initialize_head=True, head_node_args={"num_cpus": 0, "_system_config": HEALTH})
    try:
        for _ in range(2):
            found.add_node(num_cpus=1)
        yield found
    finally:
        found.shutdown()


@pytest.fixture(scope="module")
def local(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a build by one process has in its folder."""
    folder = tmp_path_factory.mktemp("local") / "numbers"
    build(order(folder, bank))
    return contents(folder)


@dataclass(frozen=True)
class Watched:
    """A runner that notes what comes, and then calls `after` with how much that is."""

    run: Runner
    after: Callable[[int], None]
    came: list[str]

    def __call__(
        self, job: ShardJob, entries: Sequence[ShardEntry], done: Callable[[Result], None]
    ) -> None:
        def noted(result: Result) -> None:
            self.came.append(result[0].file)
            self.after(len(self.came))
            done(result)

        self.run(job, entries, noted)


@pytest.mark.parametrize("shared", [False, True])
def test_a_node_that_dies_costs_nothing(
    nodes: Nodes, local: dict[str, str], bank: Bank, tmp_path: Path, shared: bool
) -> None:
    def kill(came: int) -> None:
        if came == 4:
            nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)

    run = Watched(Cluster(nodes.address, shared=shared), kill, [])
    manifest = build(order(tmp_path / "numbers", bank), run=run)
    assert len(nodes.worker_nodes) == 1
    nodes.add_node(num_cpus=1)
    assert sorted(run.came) == sorted(entry.file for entry in manifest.shards)
    # The manifest, with the fingerprint, among them.
    assert contents(tmp_path / "numbers") == local
    assert verify(tmp_path / "numbers") == []


def test_a_build_here_goes_on_on_the_cluster_one_task_after_the_other(
    nodes: Nodes, local: dict[str, str], bank: Bank, tmp_path: Path
) -> None:
    def stop(came: int) -> None:
        if came == 20:
            raise KeyboardInterrupt

    what = order(tmp_path / "numbers", bank)
    here = Watched(lambda job, entries, done: [done(job.build(e)) for e in entries], stop, [])
    with pytest.raises(KeyboardInterrupt):
        build(what, run=here)
    there = Watched(Cluster(nodes.address, tasks=1), lambda _: None, [])
    build(what, run=there)
    assert there.came == [
        "train-00016.tar",
        "train-00017.tar",
        "train-00018.tar",
        "train-00019.tar",
    ]
    assert contents(what.folder) == local


def test_an_error_on_a_node_is_raised_here(nodes: Nodes, bank: Bank, tmp_path: Path) -> None:
    what = order(tmp_path / "numbers", bank)
    faulty = FaultyStream(bank, preset("child"), 1, "raise", 43)
    with pytest.raises(IndexError, match="no such glyph") as raised:
        build(replace(what, stream=faulty), run=Cluster(nodes.address))
    assert raised.value.__notes__ == ["at train-00000.tar, sample 000000043"]
    assert "in render" in str(raised.value.__cause__)


def test_a_node_that_lacks_our_code_is_told(
    nodes: Nodes, bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ModuleType("only_here")
    here.Stream = type("Stream", (BankStream,), {"__module__": "only_here"})
    monkeypatch.setitem(sys.modules, "only_here", here)
    what = order(tmp_path / "numbers", bank)
    stream = here.Stream(bank, preset("child"), 1)
    with pytest.raises(UserError, match=r"not build .*only_here.*; see that"):
        build(replace(what, stream=stream), run=Cluster(nodes.address))


def test_other_versions_on_a_node_are_refused(
    nodes: Nodes, bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "tools", lambda: {"numpy": "1.0"})
    with pytest.raises(UserError, match=r"has digit-readers .*, this machine numpy 1\.0: install"):
        build(order(tmp_path / "numbers", bank), run=Cluster(nodes.address))


def test_a_folder_that_a_node_does_not_see_is_refused(bank: Bank, tmp_path: Path) -> None:
    job = ShardJob(tmp_path, BankStream(bank, preset("child"), 1))
    parcel = pack(job, lambda data: lambda: data)
    entry = ShardEntry("train-00000.tar", "train", 0, 10, 72_704, None)
    answer = cluster._task(cluster._build_there, parcel, tools(), entry)
    assert isinstance(answer, Failure)
    assert isinstance(answer.error, UserError)
    assert f"does not see {tmp_path} as it is here" in str(answer.error)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("there", "is auto, local or HOST:PORT, not 'there'"),
        ("127.0.0.1:1", r"no cluster of Ray answers at 127\.0\.0\.1:1 .*; start one with `ray st"),
    ],
)
def test_no_cluster_is_told(bank: Bank, tmp_path: Path, address: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(order(tmp_path / "numbers", bank), run=Cluster(address))


def test_ctrl_c_leaves_finished_shards(nodes: Nodes, bank: Bank, tmp_path: Path) -> None:
    build(builds.order(tmp_path / "undisturbed" / "numbers", bank))
    folder = tmp_path / "numbers"
    arguments = [*command(folder, bank, 2), "--engine=ray", f"--address={nodes.address}"]
    # A sample of the fourth shard takes an hour.
    process = generator(*arguments, fault="hang", key=35)
    wait_until(lambda: len(list(folder.glob("*.tar"))) >= 3)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    *of_ray, stopped = errors.splitlines()  # whose log at times tells of tasks that it gave up
    assert process.returncode == 130, errors
    assert stopped == f"stopped; the same command goes on from the shards in {folder}"
    assert all(re.match(r"\[\d{4}-.* E .*task_manager", line) for line in of_ray)
    whole = contents(tmp_path / "undisturbed" / "numbers")
    assert_nothing_is_half(folder, whole)
    assert not (folder / ".lock").exists()
    build(builds.order(folder, bank))
    assert contents(folder) == whole


def test_without_ray_the_extra_is_named(bank: Bank, tmp_path: Path) -> None:
    program = "import sys; sys.modules['ray'] = None; from generator.cli import main; main()"
    arguments = [*command(tmp_path / "numbers", bank, 1), "--engine", "ray"]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert result.stderr == (
        "error: ray is not installed; run pip install 'digit-readers[cluster]'\n"
    )
