"""Any bytes give data or our own error: no crash, no hang, no memory over the bound."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("parser", "examples"),
    [
        ("record", 300),
        ("manifest", 600),
        ("picture", 600),
        ("tar", 200),
        ("bank", 300),
        ("checkpoint", 300),
        ("onnx", 300),
        ("drawing", 600),
    ],
)
def test_any_bytes_give_data_or_our_own_error(parser: str, examples: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.fuzz", parser, str(examples)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(done.stdout, end="")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith(f"{parser}: ")
