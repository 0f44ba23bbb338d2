"""Every test that docs/promises.md names is there, and every file of tests/faults is named."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROMISES = (ROOT / "docs" / "promises.md").read_text()


def defined_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(\S+)::(\w+)`", PROMISES)
    assert len(named) == PROMISES.count("::") > 50
    for file, name in named:
        assert name in defined_in(ROOT / file.replace("F/", "tests/faults/")), f"{file}::{name}"


def test_every_file_of_faults_is_named() -> None:
    files = {path.name for path in (ROOT / "tests" / "faults").glob("test_*.py")}
    assert files == set(re.findall(r"`F/(test_\w+\.py)::", PROMISES))


def test_every_promise_has_its_row() -> None:
    assert re.findall(r"^\| (\d+) \|", PROMISES, re.MULTILINE) == [str(i) for i in range(1, 19)]
