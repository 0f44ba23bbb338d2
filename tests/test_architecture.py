"""The one-way flow: generator -> shards <- trainer."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "generator": {"torch", "torchvision", "trainer"},
    "trainer": {"generator"},
    "shards": {"generator", "trainer", "torch", "torchvision"},
}
FILES = [path for package in FORBIDDEN for path in sorted((ROOT / package).rglob("*.py"))]


def imports_of(source: str) -> set[str]:
    """Return the top-level packages that `source` imports anywhere, functions included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_packages_import_only_what_they_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert not imports_of(path.read_text(encoding="utf-8")) & FORBIDDEN[package]


def test_imports_are_found_wherever_they_hide() -> None:
    source = "import a.b\nfrom c.d import e\ndef f():\n    import g as h\nfrom . import i"
    assert imports_of(source) == {"a", "c", "g"}
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(FORBIDDEN)


def test_what_is_installed_is_all_there_is() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for path in FILES if path.name == "__init__.py"}
    found = {".".join(folder.parts) for folder in folders}
    assert found | {"custom_digits"} == set(tool["packages"])
    taken = {
        path
        for package, patterns in tool["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package).glob(pattern)
    }
    for package in FORBIDDEN:
        for path in (ROOT / package).rglob("*.*"):
            assert path.suffix in (".py", ".pyc") or path in taken, path
