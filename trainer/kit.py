"""Kits: a reader with what a game needs to call it, in a folder of its own."""

import hashlib
import secrets
import shutil
from pathlib import Path

from shards.errors import UserError
from trainer.allowed import read_model
from trainer.facts import metadata
from trainer.files import CARD, CHECKER, READER
from trainer.runtime import open_session
from trainer.shipped import find_folder, names

KITS = Path(__file__).parent / "kits"
ENGINES = ("godot", "native", "web")
_KEPT, _VERSION = "offline.js", 'VERSION = "1"'  # of the web kit


def write_kit(out: Path, engine: str, model: str) -> list[str]:
    """Write the kit for `engine` and the reader `model` into `out`, whole or not at all.

    `model` is a folder that has a reader.onnx or the name of one that ships (nano is its int8
    form); a checker.onnx beside it comes along. Returns the names of the files. Raises UserError
    for an unknown engine or model, files that are none or do not belong together, and where `out`
    holds anything.
    """
    if engine not in ENGINES:
        raise UserError(f"a kit for {engine!r} is unknown; there are {', '.join(ENGINES)}")
    reader = find_model(model)
    _check(reader)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"{out} is not empty: name a new folder for the kit")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        shutil.copytree(KITS / engine, part)
        for name in (READER, CHECKER, CARD):
            if (reader / name).is_file():
                shutil.copyfile(reader / name, part / name)
        _stamp(part)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sorted(path.name for path in out.iterdir())


def find_model(model: str) -> Path:
    """Return the folder `model` where that has a reader, else that of a reader that ships."""
    folder = find_folder(Path(model))
    if not (folder / READER).is_file():
        raise UserError(
            f"{model} is no reader that ships ({', '.join(names())}) and no folder with a "
            f"{READER}: name one of them"
        )
    return folder


def _check(folder: Path) -> None:
    """Raise UserError where a game could not open what is in the folder, or it does not belong."""
    weights = set()
    for name, kind in ((READER, "reading"), (CHECKER, "answer")):
        if (folder / name).is_file():
            open_session(folder / name, (kind,))
            weights.add(metadata(read_model(folder / name)[1]).get("weights_sha256"))
    if len(weights) > 1:
        raise UserError(
            f"{READER} and {CHECKER} in {folder} are of different weights: name a folder that "
            "trainer ship has made"
        )


def _stamp(kit: Path) -> None:
    """Let browsers that keep the kit's files notice that others have come."""
    script = kit / _KEPT
    if script.is_file():
        found = b"".join(path.read_bytes() for path in sorted(kit.iterdir()))
        version = hashlib.sha256(found).hexdigest()[:16]
        script.write_text(script.read_text().replace(_VERSION, f'VERSION = "{version}"', 1))
