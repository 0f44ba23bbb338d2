"""Read WebDatasets that others made: pictures with labels, in whatever order and of any size."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from shards.errors import UserError
from shards.foreign.picture import decode, ink_box, to_canvas
from shards.foreign.tar import PICTURES, Contents, Member
from shards.foreign.tars import Tar
from shards.labels import check_label
from shards.record import on_canvas


@dataclass(frozen=True)
class Found:
    """A sound sample.

    canvas: uint8 (32, 128). boxes: one x, y, width, height for each digit, in px, where the JSON
    has them for this very canvas; else that of all the ink, for each. as_is: the canvas is the
    picture as it was. unused: fields of the JSON that have no place in a record.
    """

    tar: str
    key: str
    label: str
    canvas: np.ndarray
    boxes: list[list[int]]
    as_is: bool
    unused: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Refusal:
    """What was not taken: a sample by its key, or with the key None the rest of a tar; and why."""

    tar: str
    key: str | None
    reason: str


def read_samples(tar: Tar, contents: Contents) -> Iterator[Found | Refusal]:
    """Read the samples of a tar by their keys, in the order in which these first occur."""
    groups: dict[str, list[Member]] = {}
    for member in contents.members:
        groups.setdefault(member.key, []).append(member)
    with tar.path.open("rb") as file:
        for key, members in groups.items():
            try:
                yield _read(tar.name, key, file, members)
            except UserError as error:
                yield Refusal(tar.name, key, str(error))
    if contents.damage:
        yield Refusal(tar.name, None, contents.damage)


def _read(tar: str, key: str, file: BinaryIO, members: list[Member]) -> Found:
    pictures = [member for member in members if member.ending in PICTURES]
    texts = {member.ending: member for member in members if member not in pictures}
    if len(texts) + len(pictures) < len(members):
        raise UserError("two of its files have one name")
    if len(pictures) != 1:
        raise UserError(f"it has {len(pictures)} pictures" if pictures else "it has no picture")
    if not texts:
        raise UserError("it has no label")
    facts = _parse_json(_bytes(file, texts[".json"])) if ".json" in texts else {}
    labels = {end: _bytes(file, texts[end]).decode("utf-8", "replace") for end in texts}
    if ".json" in texts:
        del labels[".json"]
        if "label" in facts or not labels:  # it may tell of other things only
            labels[".json"] = _json_label(facts)
    label = _agreed({end: text.strip() for end, text in labels.items()})
    canvas, as_is = to_canvas(decode(_bytes(file, pictures[0])))
    boxes = _boxes(facts.get("boxes"), len(label)) if as_is else None
    unused = frozenset(facts) - {"label"} - ({"boxes"} if boxes else set())
    return Found(
        tar, key, label, canvas, boxes or [list(ink_box(canvas))] * len(label), as_is, unused
    )


def _bytes(file: BinaryIO, member: Member) -> bytes:
    file.seek(member.start)
    return file.read(member.size)


def _parse_json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError("its .json is not JSON") from error
    return value if isinstance(value, dict) else {"label": value}


def _json_label(facts: dict[str, Any]) -> str:
    label = facts.get("label")
    if isinstance(label, bool) or not isinstance(label, (str, int)):
        raise UserError("its .json has no label that is a string or a whole number")
    return str(label) if isinstance(label, str) or 0 <= label < 10**9 else "a number too large"


def _agreed(labels: dict[str, str]) -> str:
    """Return the label that all files give, with the leading zeros that any of them has."""
    for text in labels.values():
        check_label(text if len(text) < 20 else f"{text[:20]}...")
    longest = max(labels.values(), key=len)
    if any(int(text) != int(longest) for text in labels.values()):
        said = ", ".join(f"{end} {text!r}" for end, text in sorted(labels.items()))
        raise UserError(f"its labels differ: {said}")
    return longest


def _boxes(value: Any, count: int) -> list[list[int]] | None:
    """Return the boxes in a JSON if they are `count` boxes that a record can hold."""
    if not isinstance(value, list) or len(value) != count:
        return None
    for box in value:
        if not isinstance(box, list) or [type(side) for side in box] != [int] * 4:
            return None
        if max(map(abs, box)) > 1000 or not on_canvas(np.array(box)) or 0 in box[2:]:
            return None
    return value
