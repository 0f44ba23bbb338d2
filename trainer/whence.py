"""Where a reader comes from: what its file says, and whether the files at hand agree."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shards.manifest import own_fingerprint
from shards.reader import DataSet
from trainer.allowed import read_model
from trainer.checkpoint import WEIGHTS, weights_sha256
from trainer.export import STARTS
from trainer.facts import metadata
from trainer.files import (
    CARD,
    CHECKER,
    INT8_CARD,
    INT8_CHECKER,
    INT8_LOGITS,
    INT8_READER,
    LOGITS,
    READER,
)
from trainer.graph import opsets
from trainer.shipped import find_file

EVALUATION = "evaluation.json"
TOLD = {  # the facts of lineage, and what they are to people
    "model": "model",
    "quantization": "quantization",
    "trained": "trained by",
    "init": "began from",
    "averaged": "averaged",
    "judge": "judged by",
    "checkpoint": "checkpoint",
    "weights_sha256": "its weights",
    "data": "data set",
    "fingerprint": "fingerprint",
    "recipe": "recipe",
    "digits": "digits",
    "accuracy": "exact numbers",
    "tools": "tools",
}
_OPTIONAL = ("quantization", *STARTS)
_SHOWN = 500  # characters of a text from a file


@dataclass
class Lineage:
    """What is known of a reader: `told`, name and text; `missing` and `wrong`, a sentence each."""

    told: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def whence(file: Path, sets: list[DataSet]) -> Lineage:
    """Trace an exported ONNX file, by its metadata, the files beside it and the `sets` given.

    Raises UserError for what is no file of an export.
    """
    file = find_file(file)
    data, model = read_model(file)
    facts = metadata(model)
    lineage = Lineage()
    digest = hashlib.sha256(data).hexdigest()
    lineage.told.append(("file", f"{file}, {len(data):,} bytes, SHA-256 {digest}"))
    lineage.told.append(("operators", opsets(model)))
    for name, title in TOLD.items():
        if facts.get(name, "unknown") != "unknown":
            lineage.told.append((title, _sentence(name, facts)))
        elif name not in _OPTIONAL:
            lineage.missing.append(f"{title}: {file.name} does not say")
    figures = _figures(file, digest, lineage)
    _compare_card(file, facts, lineage)
    _compare_exports(file, facts, lineage)
    _compare_weights(file, facts, lineage)
    for each in sets:
        _compare_set(each, facts, figures, lineage)
    if not sets:
        lineage.missing.append("data set: none was given to compare with; name it with --data")
    return lineage


def as_text(lineage: Lineage) -> str:
    """Return the lineage in lines; whatever is not printable becomes a question mark."""
    lines = [*lineage.told, *(("missing", text) for text in lineage.missing)]
    lines += [("DOES NOT MATCH", text) for text in lineage.wrong]
    return "\n".join(f"{name:<15} {_printable(text)}" for name, text in lines)


def _sentence(name: str, facts: dict[str, str]) -> str:
    if name == "model":
        return f"{facts['model']}, {facts.get('parameters', '?')} parameters"
    if name == "accuracy":
        where = f"n = {facts.get('accuracy_images', '?')}, {facts.get('accuracy_on', '?')}"
        return f"{facts['accuracy']}, {where}"
    return facts[name]


def _figures(file: Path, digest: str, lineage: Lineage) -> dict[str, Any]:
    """Tell the figures of evaluation.json beside the file, and whether they are of this reader."""
    figures = _read_json(file.with_name(EVALUATION), lineage)
    for name, exact in _tests(figures):
        interval = f"[{exact['low']:.4f}, {exact['high']:.4f}]"
        text = f"{exact['share']:.4f} {interval}, n = {exact['count']:,}"
        lineage.told.append((f"on {name}", text))
    reader = file.with_name(READER)
    if not figures or not reader.is_file():
        return figures
    found = digest if file.name == READER else hashlib.sha256(reader.read_bytes()).hexdigest()
    told, size = figures.get("sha256") or "", reader.stat().st_size
    if not told:
        lineage.missing.append(f"{EVALUATION} does not say of which file its figures are")
    if (told and told != found) or figures.get("bytes") != size:
        lineage.wrong.append(
            f"{EVALUATION} is of a reader of {figures.get('bytes')} bytes, SHA-256 "
            f"{str(told)[:16] or 'unknown'}; {READER} has {size} and {found[:16]}"
        )
    return figures


def _tests(figures: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and exact numbers of each test, as far as they are what `trainer ship` writes."""
    tests = figures.get("tests")
    for name, test in tests.items() if isinstance(tests, dict) else ():
        exact = test.get("exact") if isinstance(test, dict) else None
        if isinstance(exact, dict) and all(
            isinstance(exact.get(key), int | float) for key in ("share", "low", "high", "count")
        ):
            yield name, exact


def _compare_card(file: Path, facts: dict[str, str], lineage: Lineage) -> None:
    int8 = file.name in (INT8_READER, INT8_LOGITS, INT8_CHECKER)
    path = file.with_name(INT8_CARD if int8 else CARD)
    card = _read_json(path, lineage)
    for name in sorted(card.keys() | facts.keys()) if card else ():
        here, there = facts.get(name), card.get(name)
        # A checker that was made later knows more, and has told the card.
        later = (name == "check" or name.startswith("check_")) and None in (here, there)
        if here != there and not later:
            lineage.wrong.append(f"{path.name} says {name} {there!r}, {file.name} {here!r}")


def _compare_exports(file: Path, facts: dict[str, str], lineage: Lineage) -> None:
    kinds = ((READER, LOGITS, CHECKER), (INT8_READER, INT8_LOGITS, INT8_CHECKER))
    for name in next((names for names in kinds if file.name in names), ()):
        path = file.with_name(name)
        if name == file.name or not path.is_file():
            continue
        others = metadata(read_model(path)[1])
        for key in ("model", "weights_sha256", "fingerprint", "trained", "temperature"):
            if others.get(key) != facts.get(key):
                lineage.wrong.append(
                    f"{name} beside it is of another reader: {key} {others.get(key)!r}, not "
                    f"{facts.get(key)!r}"
                )


def _compare_weights(file: Path, facts: dict[str, str], lineage: Lineage) -> None:
    path, wanted = file.with_name(WEIGHTS), facts.get("weights_sha256")
    if not path.is_file():
        lineage.missing.append(f"checkpoint: there is no {WEIGHTS} beside {file.name}")
    elif wanted and (found := weights_sha256(path)) != wanted:
        lineage.wrong.append(f"{WEIGHTS} has the weights {found[:16]}, {file.name} {wanted[:16]}")


def _compare_set(
    data: DataSet, facts: dict[str, str], figures: dict[str, Any], lineage: Lineage
) -> None:
    manifest, tested = data.manifest, figures.get("fingerprints")
    name, found = f"{manifest.name} {manifest.version}", manifest.fingerprint
    if own_fingerprint(manifest) != found:
        lineage.wrong.append(f"{data.where} has a manifest that was edited: see shards verify")
    if found == facts.get("fingerprint"):
        sources = [f"{s['name']} ({s['licence']}), {s['count']:,}" for s in manifest.sources]
        tools = [f"{tool} {version}" for tool, version in manifest.tools.items()]
        lineage.told.append(("trained on", f"{data.where}, {name}, seed {manifest.seed}"))
        lineage.told.append(("its digits", "; ".join(sources) or "no sources are named"))
        lineage.told.append(("its tools", ", ".join(tools) or "none are named"))
    elif isinstance(tested, dict) and found in tested.values():
        lineage.told.append(("tested on", f"{data.where}, {name}, as {EVALUATION} says"))
    else:
        lineage.wrong.append(
            f"{data.where} is {name} with the fingerprint {found[:16]}, but the reader was "
            f"trained on {facts.get('data', 'unknown')} with "
            f"{facts.get('fingerprint', 'unknown')[:16]}"
        )


def _read_json(path: Path, lineage: Lineage) -> dict[str, Any]:
    if not path.is_file():
        lineage.missing.append(f"{path.name}: there is none beside the file")
        return {}
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        lineage.wrong.append(f"{path.name} is damaged: it is no JSON object")
        return {}
    return content


def _printable(text: str) -> str:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return "".join(char if char.isprintable() else "?" for char in shown)
