import pytest

from shards.terminal import progress


@pytest.mark.parametrize(("rank", "silent"), [(None, False), ("0", False), ("1", True)])
def test_of_several_ranks_the_first_shows_progress(
    rank: str | None, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    if rank is None:
        monkeypatch.delenv("RANK", raising=False)
    else:
        monkeypatch.setenv("RANK", rank)
    assert progress("images").disable is silent
