import subprocess
import sys
from pathlib import Path


def run(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    (folder / "slow.py").write_text(module)
    code = f"import sys; sys.path.append({str(folder)!r}); import shards.entry as e; "
    return subprocess.run(
        [sys.executable, "-c", code + "e.command('slow')()"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_ctrl_c_while_a_command_is_loaded_ends_it_without_a_traceback(tmp_path: Path) -> None:
    ended = run(tmp_path, "import signal\nsignal.raise_signal(signal.SIGINT)\n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_command_runs_once_it_is_loaded(tmp_path: Path) -> None:
    ended = run(tmp_path, "def main():\n    print('here')\n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "here\n", "")


def test_the_scripts_load_nothing_slow_before_that() -> None:
    for name in ("generator", "shards", "trainer"):
        found = subprocess.run(
            [
                sys.executable,
                "-c",
                f"import sys, {name}.__main__; print(*sys.modules)",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert not {"numpy", "cv2", "torch", "typer", f"{name}.cli"} & set(found)
