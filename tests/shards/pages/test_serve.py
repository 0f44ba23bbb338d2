import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from shards.errors import UserError
from shards.pages import token as module
from shards.pages.app import Site
from shards.pages.serve import serve
from shards.pages.token import token
from tests.browser import serving


def test_by_default_it_is_this_machines_alone(tmp_path: Path) -> None:
    with serving("generator", "draw", tmp_path / "digits", cache=tmp_path) as server:
        assert server.address.startswith(f"http://127.0.0.1:{server.port}/#")
        out, error = server.end(signal.SIGINT)
    assert server.process.returncode == 0
    assert out == f"next: generator digits data/bank.h5 --folder {tmp_path / 'digits'}\n"
    assert error == ""


def test_for_others_there_is_a_warning_and_a_code_to_scan(tmp_path: Path) -> None:
    arguments = ("generator", "draw", tmp_path / "digits", "--host", "0.0.0.0")
    with serving(*arguments, cache=tmp_path) as server:
        assert "0.0.0.0" not in server.address
        _, error = server.end(signal.SIGTERM)
    assert server.process.returncode == 0
    assert "".join(server.lines).count("█") > 100
    assert error.startswith("warning: everyone in this network")


def test_a_port_that_is_taken_and_a_foreign_address_are_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} is taken"):
            serve(Flask("page"), Site("127.0.0.1", port, "token"))
    with pytest.raises(UserError, match="192.0.2.7 cannot be served"):
        serve(Flask("page"), Site("192.0.2.7", port, "token"))
    with pytest.raises(UserError, match="nowhere.invalid has no address here; name an address"):
        serve(Flask("page"), Site("nowhere.invalid", port, "token"))


@pytest.mark.parametrize("command", [["generator", "draw"], ["trainer", "demo"]])
def test_without_the_packages_the_rest_works_and_a_page_says_what_to_install(
    command: list[str], tmp_path: Path
) -> None:
    code = (
        "import sys; sys.modules['flask'] = None; sys.argv = sys.argv[1:]; "
        "from importlib import import_module; import_module(f'{sys.argv[0]}.cli').main()"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", code, command[0], *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert run("--help").returncode == 0
    page = run(command[1])
    wanted = "error: flask is not installed; run pip install 'digit-readers[pages]'\n"
    assert (page.returncode, page.stderr) == (1, wanted)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "digit-readers" / module._NAME


def test_a_token_is_kept_and_nobody_elses_to_read(cache: Path) -> None:
    first = token()
    assert len(first) == 32
    assert token() == first == cache.read_text()
    assert cache.stat().st_mode & 0o777 == 0o600
    cache.unlink()
    assert token() != first


@pytest.mark.parametrize("found", [b"", b"x" * 32, b"a" * 31, b"\xff" * 32])
def test_a_file_that_is_no_token_is_refused(cache: Path, found: bytes) -> None:
    cache.parent.mkdir()
    cache.write_bytes(found)
    with pytest.raises(UserError, match="holds no token of 32 hex digits; remove it"):
        token()
