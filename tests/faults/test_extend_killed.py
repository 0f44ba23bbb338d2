"""`kill -9` before any step of an addition, or of a merge, then the same again: the same bytes."""

import shutil
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path

from generator.bank import Bank
from generator.build import build
from generator.extend import extend
from generator.plan import Order
from generator.runners import Processes
from shards.manifest import read_manifest
from shards.merge import merge
from shards.part import Part
from shards.verify import verify
from tests.faults.builds import SHARD_SIZE, assert_nothing_is_half, contents, order
from tests.faults.test_build_killed import FEW, begin

MORE = {"train": 11, "test": 2}


def add(what: Order) -> None:
    extend(what.folder, what.stream.bank.path, MORE, SHARD_SIZE, Processes(1))


def join(what: Order) -> None:
    merge(what.folder, [what.folder.parent / f"part{number}" for number in (1, 2)])


def killed_before_each_step(
    made: Path, bank: Bank, work: Callable[[Order], None], check: Callable[[Path], None]
) -> int:
    """Kill `work` in copies of the folder `made`, before each step; return how many there are.

    After each, `check` sees the folder of the data set; then `work` goes on to the end.
    """
    undisturbed = order(shutil.copytree(made, made / "undisturbed") / "numbers", bank)
    work(undisturbed)
    whole = contents(undisturbed.folder)
    shutil.rmtree(undisturbed.folder.parent)
    for step in count():
        copy = shutil.copytree(made, made.with_name(f"{made.name}{step}"), copy_function=link)
        what = order(copy / "numbers", bank)
        process = begin(what, step, work)
        process.join()
        if process.exitcode == 0:
            return step
        assert process.exitcode == -signal.SIGKILL
        check(what.folder)
        (what.folder / ".lock").unlink(missing_ok=True)
        if not what.folder.exists() or contents(what.folder) != whole:  # else it is done
            work(what)
        assert contents(what.folder) == whole
    raise AssertionError


def link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def test_an_addition_leaves_the_old_set_whole_or_is_done(bank: Bank, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "numbers"
    build(order(folder, bank, splits=FEW))
    before = contents(folder)
    old = {name: digest for name, digest in before.items() if name.endswith(".tar")}

    def check(folder: Path) -> None:
        assert contents(folder).items() >= old.items()
        left = [path.name for path in folder.glob(".*.tmp") if ".tar" not in path.name]
        assert verify(folder) == [f"{name} is not in the manifest" for name in left]

    steps = killed_before_each_step(folder.parent, bank, add, check)
    assert contents(folder) == before  # whose files the copies were links of
    assert steps > 5 * 7  # the plan, three shards, card, preview and manifest


def test_a_merge_leaves_nothing_half_and_its_parts(bank: Bank, tmp_path: Path) -> None:
    made = tmp_path / "made"
    build(order(tmp_path / "whole" / "numbers", bank, splits=FEW))
    for number in (1, 2):
        build(order(made / f"part{number}", bank, splits=FEW), part=Part(number, 2))
    whole = contents(tmp_path / "whole" / "numbers")
    parts = [contents(made / f"part{number}") for number in (1, 2)]

    def check(folder: Path) -> None:
        assert_nothing_is_half(folder, whole)
        if (folder / "manifest.json").exists():
            assert read_manifest(folder / "manifest.json").part is None

    steps = killed_before_each_step(made, bank, join, check)
    assert steps > 3 * len(whole)
    assert [contents(made / f"part{number}") for number in (1, 2)] == parts
