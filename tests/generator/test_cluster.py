"""Builds on a real Ray cluster of several nodes, all on this machine."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster as Nodes

from generator.bank import Bank
from generator.build import build
from generator.cluster import Cluster
from generator.plan import Order
from generator.recipe import preset
from generator.runners import Runner
from generator.shard_job import ShardJob
from generator.stream import BankStream
from shards.finish import Result
from shards.manifest import ShardEntry
from shards.verify import verify

SPLITS = {"train": 200, "val": 20, "test": 20}


def order(folder: Path, bank: Bank) -> Order:
    return Order(folder, BankStream(bank, preset("child"), 1), SPLITS, shard_size=10)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head that builds nothing, and two nodes of one core."""
    found = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(2):
            found.add_node(num_cpus=1)
        yield found
    finally:
        found.shutdown()


@pytest.fixture(scope="module")
def local(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("local") / "numbers"
    build(order(folder, bank))
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@dataclass(frozen=True)
class Killing:
    """A runner that loses a node once some shards have come."""

    run: Runner
    nodes: Nodes

    def __call__(self, job: ShardJob, entries: list[ShardEntry], done) -> None:
        came: list[Result] = []

        def next_one(result: Result) -> None:
            came.append(result)
            if len(came) == 4:
                self.nodes.remove_node(self.nodes.worker_nodes.copy().pop(), allow_graceful=False)
            done(result)

        self.run(job, entries, next_one)
        assert len(came) == len(entries)


@pytest.mark.parametrize("shared", [False, True])
def test_a_node_that_dies_costs_nothing(
    nodes: Nodes, local: dict[str, str], bank: Bank, tmp_path: Path, shared: bool
) -> None:
    folder = tmp_path / "numbers"
    run = Killing(Cluster(nodes.address, shared=shared), nodes)
    build(order(folder, bank), run=run)
    assert len(nodes.worker_nodes) == 1
    assert contents(folder) == local
    assert verify(folder) == []
    nodes.add_node(num_cpus=1)
