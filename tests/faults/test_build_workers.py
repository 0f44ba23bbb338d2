"""Workers: any number gives the same bytes; one that raises or dies stops the build."""

from dataclasses import replace
from pathlib import Path

import pytest

from generator.bank import Bank
from generator.build import build
from generator.recipe import preset
from generator.stream import BankStream
from tests.faults.builds import (
    SHARDS,
    assert_nobody_is_left,
    assert_nothing_is_half,
    command,
    contents,
    generator,
    order,
)


@pytest.fixture(scope="module")
def whole(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("undisturbed") / "numbers"
    build(order(folder, bank), workers=1)
    return contents(folder)


def test_any_number_gives_the_same_bytes(bank: Bank, tmp_path: Path) -> None:
    found = []
    for workers in (1, 2, 7):
        what = order(tmp_path / str(workers) / "numbers", bank)
        build(replace(what, stream=BankStream(bank, preset("child"), 1)), workers)
        found.append(contents(what.folder))
    assert len(found[0]) == len(SHARDS) + 3
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("fault", "workers", "code", "message"),
    [
        ("raise", 2, 1, "IndexError: no such glyph\nat train-00001.tar, sample 000000043\n"),
        ("raise", 1, 1, "IndexError: no such glyph\nat train-00001.tar, sample 000000043\n"),
        ("refuse", 2, 1, "error: the glyph is too wide; at train-00001.tar, sample 000000043\n"),
        (
            "exit", 2, 1,
            "error: a worker exited with 3 at train-00001.tar, samples 000000040 to 000000049; "
            "finished shards stay, and the same command goes on, with fewer workers if memory was "
            "short\n",
        ),
        (
            "kill", 2, 1,
            "error: a worker was killed by signal 9 (Killed) at train-00001.tar, samples 000000040 "
            "to 000000049; finished shards stay, and the same command goes on, with fewer workers "
            "if memory was short\n",
        ),
    ],
)  # fmt: skip
def test_a_fault_stops_the_build(
    bank: Bank,
    tmp_path: Path,
    whole: dict[str, str],
    fault: str,
    workers: int,
    code: int,
    message: str,
) -> None:
    folder = tmp_path / "numbers"
    process = generator(*command(folder, bank, workers), fault=fault, key=43)
    _, errors = process.communicate()
    assert process.returncode == code
    assert errors.endswith(message)
    assert ("in _raise" in errors) == ("Traceback" in errors) == (fault == "raise")
    assert_nobody_is_left(process.pid)
    assert_nothing_is_half(folder, whole)
    assert not list(folder.glob(".*"))
    kept = {shard.name: shard.stat().st_mtime_ns for shard in folder.glob("*.tar")}
    # Four shards were begun before the fifth failed, and only one may have been at work then.
    assert len(kept.keys() & set(SHARDS[:4])) >= 3
    build(order(folder, bank), workers=1)
    assert contents(folder) == whole
    assert {name: (folder / name).stat().st_mtime_ns for name in kept} == kept
