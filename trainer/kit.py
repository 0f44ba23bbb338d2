"""Kits: a reader with what a game needs to call it, in a folder of its own."""

import secrets
import shutil
from pathlib import Path

from shards.errors import UserError

KITS = Path(__file__).parent / "kits"
ENGINES = ("godot", "native", "web")
READER, CHECKER, FACTS = "reader.onnx", "checker.onnx", "reader.json"
_PRETRAINED = Path(__file__).parent / "pretrained"


def write_kit(out: Path, engine: str, model: str) -> list[str]:
    """Write the kit for `engine` and the reader `model` into `out`, whole or not at all.

    `model` is one that ships (nano is its int8 form) or a folder that has a reader.onnx; a
    checker.onnx beside it comes along. Returns the names of the files. Raises UserError for an
    unknown engine or model, and where `out` holds anything.
    """
    if engine not in ENGINES:
        raise UserError(f"a kit for {engine!r} is unknown; there are {', '.join(ENGINES)}")
    reader = find_model(model)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"{out} is not empty: name a new folder for the kit")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        shutil.copytree(KITS / engine, part)
        for name in (READER, CHECKER, FACTS):
            if (reader / name).is_file():
                shutil.copyfile(reader / name, part / name)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sorted(path.name for path in out.iterdir())


def find_model(model: str) -> Path:
    """Return the folder of a reader that ships, or `model` itself where that is such a folder."""
    shipped = [] if Path(model).is_absolute() else [f"{model}-int8", model]
    for folder in (*(_PRETRAINED / name for name in shipped), Path(model)):
        if (folder / READER).is_file():
            return folder
    known = ", ".join(sorted(path.parent.name for path in _PRETRAINED.glob(f"*/{READER}")))
    raise UserError(
        f"{model} is no reader that ships ({known}) and no folder with a {READER}: name one of them"
    )
