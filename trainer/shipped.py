"""The readers that ship with the package, each a folder, and how they are named."""

from pathlib import Path

from trainer.files import READER

FOLDER = Path(__file__).parent / "pretrained"


def names() -> list[str]:
    """Return the names of the readers that ship, those of their folders."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{READER}"))


def find_folder(name: Path, file: str = READER) -> Path:
    """Return the folder `name` if it has `file`, else that of a reader that ships under this name.

    nano is its 8-bit form. Where there is neither, `name` comes back as it is.
    """
    known = [FOLDER / f"{name}-int8", FOLDER / name] if len(name.parts) == 1 else []
    return next((folder for folder in (name, *known) if (folder / file).is_file()), name)


def find_file(path: Path, file: str = READER) -> Path:
    """Return `file` of the folder, or reader that ships, that `path` names; else `path` itself."""
    found = find_folder(path, file) / file
    return found if found.is_file() and not path.is_file() else path
