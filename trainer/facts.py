"""What exported files say of themselves: metadata in ONNX, and once more as JSON beside it."""

import json
from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto

from shards.errors import UserError
from shards.files import replacing
from shards.schema import expect_map, reject
from trainer.allowed import read_model
from trainer.models import MODELS


def metadata(model: ModelProto) -> dict[str, str]:
    """Return what is stamped on a graph."""
    return {entry.key: entry.value for entry in model.metadata_props}


def read_card(path: Path) -> dict[str, str]:
    """Return the metadata of an ONNX file; UserError where it does not say of which model it is."""
    return check_card(metadata(read_model(path)[1]), f"{path}: metadata")


def write_json(card: dict[str, str], path: Path) -> None:
    """Write the metadata of the files once more, as JSON."""
    with replacing(path) as file:
        file.write(json.dumps(card, indent=1).encode() + b"\n")


def read_json(path: Path, names: Sequence[str] = ()) -> dict[str, str]:
    """Return what `write_json` wrote; UserError as `check_card` raises it, and for no JSON."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON ({error}); export it again") from error
    return check_card(facts, str(path), names)


def check_card(card: object, where: str, names: Sequence[str] = ()) -> dict[str, str]:
    """Return `card` if it has texts only, those of `names` among them, and a model known here.

    Raises UserError, naming `where`, otherwise.
    """
    texts: dict[str, str] = expect_map(card, str, where)
    for name in ("model", "parameters", *names):
        if name not in texts:
            reject(where, f"lacks the field {name!r}")
    if texts["model"] not in MODELS or not texts["parameters"].isdecimal():
        reject(where, f"is of a model {texts['model']!r} that is not known here")
    return texts


def refuse_quantized(card: dict[str, str], folder: Path) -> None:
    """Raise UserError where a card is that of an 8-bit file, under the name of one in float32."""
    if "quantization" in card:
        raise UserError(
            f"{folder} holds 8-bit readers already; name the folder that trainer export wrote"
        )
