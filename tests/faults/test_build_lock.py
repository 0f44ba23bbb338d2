"""Two builds into one folder: the second is refused; the lock of a killed one is taken over."""

import fcntl
from pathlib import Path

import pytest

from generator.bank import Bank
from generator.build import build
from shards.errors import UserError
from shards.lock import locked
from tests.faults.builds import command, contents, generator, order, wait_until


def test_a_second_build_is_refused_until_the_first_is_killed(bank: Bank, tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    first = generator(*command(folder, bank, 1), fault="hang", key=20)
    try:
        wait_until(lambda: any(folder.glob(".val-00000.tar.*")))
        before = contents(folder)
        second = generator(*command(folder, bank, 1))
        _, errors = second.communicate()
        assert second.returncode == 1
        assert errors == (
            f"error: another process is building {folder}; wait until it is done, or name another "
            "folder\n"
        )
        assert contents(folder) == before
    finally:
        first.kill()
        first.communicate()
    assert (folder / ".lock").exists()
    build(order(folder, bank), workers=1)
    build(order(tmp_path / "undisturbed" / "numbers", bank), workers=1)
    assert contents(folder) == contents(tmp_path / "undisturbed" / "numbers")


def test_the_lock_is_gone_with_its_holder(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    for _ in range(2):
        with locked(tmp_path, "building"):
            refused = pytest.raises(UserError, match="is building")
            with refused, locked(tmp_path, "building"):
                pass
        assert not list(tmp_path.iterdir())


def test_a_lock_on_a_file_that_was_removed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder lets go between our opening its file and our locking it."""
    path, flock = tmp_path / ".lock", fcntl.flock
    removals = iter([True, True, False])

    def late(file: object, how: int) -> None:
        if next(removals):
            path.unlink()
        flock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(tmp_path, "building"):
        monkeypatch.undo()
        with pytest.raises(UserError), locked(tmp_path, "building"):
            pass
