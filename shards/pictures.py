"""How pictures of single digits lie in a folder: <digit>/<writer>_<n>.png, strokes beside them."""

from pathlib import Path

DIGITS = range(10)
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def pictures_in(folder: Path) -> list[Path]:
    """Whatever has the name of a picture, sorted: a PNG, or one that is to become a PNG."""
    return [path for path in sorted(folder.glob("*")) if path.suffix.lower() in _PICTURES]


def is_png(path: Path) -> bool:
    """Whether it has the name of a PNG, the one kind that is read."""
    return path.suffix.lower() == ".png"


def writer_of(path: Path) -> str:
    """The name before the last `_`: of `7/anna_12.png` it is `anna`."""
    name, underscore, _ = path.stem.rpartition("_")
    return name if underscore else path.stem


def strokes_beside(picture: Path) -> Path | None:
    """The file of a picture's strokes, `7/anna_12.json`, or None where it has none."""
    path = picture.with_suffix(".json")
    return path if path.is_file() else None
