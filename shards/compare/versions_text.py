"""A diff of two data sets for people: in text, and its changed samples as a picture."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from shards.card import flat
from shards.compare.versions import Diff, numbers
from shards.layout import KEY_DIGITS
from shards.manifest import Manifest, writers_in
from shards.preview import sheet

_MEANS = {
    "none": "nothing changed",
    "patch": "the same samples; their packing or what the manifest says changed",
    "minor": "samples were added, those of before are unchanged",
    "major": "samples of before changed or are gone",
}
_ABSENT = "-"
_TOLD = ("name", "version", "sources", "shards", "histograms")  # by lines of their own
_GAP, _GROUND = 6, 96  # px between the two images of a sample, their grey


def as_text(diff: Diff) -> str:
    """Describe a diff for a terminal: what it makes of the version, samples, packing, facts."""
    old, new = diff.old, diff.new
    lines = [
        f"{old.name} {old.version} to {new.name} {new.version}: {diff.level}, {_MEANS[diff.level]}",
        _verdict(diff),
        "",
        *_samples(diff),
        f"{'packing':11} {_packing(old)} -> {_packing(new)}",
        *_facts(old, new),
        *_sources(old, new),
        *_histograms(diff),
    ]
    return "\n".join(lines)


def as_sheet(diff: Diff) -> Image.Image:
    """Draw samples that changed, at least one, before and after beside one another."""
    between = np.full((len(diff.examples[0].images[0]), _GAP), _GROUND, np.uint8)
    pairs = [
        np.concatenate([before, between, after], axis=1)
        for before, after in (example.images for example in diff.examples)
    ]
    captions = [
        f"{example.key:0{KEY_DIGITS}}   {example.labels[0]} -> {example.labels[1]}"
        for example in diff.examples
    ]
    return sheet(pairs, captions, columns=3)


def _verdict(diff: Diff) -> str:
    said, right = diff.new.version, diff.version
    if diff.level == "none" and said == right:
        return f"the version stays {said}"
    if said == right:
        return f"{said} is the version that follows"
    if diff.level != "none" and _is_further(diff):
        return f"{said} is of that kind, and later than the one that follows, {right}"
    return f"it calls itself {said}; after {diff.old.version} it should be {right}"


def _is_further(diff: Diff) -> bool:
    """Whether the new version is of its level, but by several steps, as after two additions."""
    said, right = numbers(diff.new.version), numbers(diff.version)
    place = ("major", "minor", "patch").index(diff.level)
    return said[:place] == right[:place] and said[place] > right[place]


def _samples(diff: Diff) -> list[str]:
    counts = f"{diff.same:,} unchanged, {diff.changed:,} changed"
    for name, counter in (("added", diff.added), ("gone", diff.gone)):
        by_split = ", ".join(f"{split} {count:,}" for split, count in counter.items())
        counts += f", {counter.total():,} {name}" + (f" ({by_split})" if by_split else "")
    parts = ", ".join(f"{name} {count:,}" for name, count in diff.parts.items() if count)
    return [f"{'samples':11} {counts}", *([f"{'changed':11} {parts}"] if parts else [])]


def _packing(manifest: Manifest) -> str:
    largest = max((entry.count for entry in manifest.shards), default=0)
    return f"{len(manifest.shards):,} shards of up to {largest:,}"


def _facts(old: Manifest, new: Manifest) -> Iterator[str]:
    """Yield the fields of the manifests that differ, like 'recipe.gap  [0, 3] -> [0, 4]'."""
    before, after = (
        flat({name: value for name, value in asdict(m).items() if name not in _TOLD})
        for m in (old, new)
    )
    for name in dict.fromkeys([*before, *after]):
        if before.get(name, _ABSENT) != after.get(name, _ABSENT):
            yield f"{name:11} {before.get(name, _ABSENT)} -> {after.get(name, _ABSENT)}"


def _sources(old: Manifest, new: Manifest) -> Iterator[str]:
    before, after = ({source["name"]: source for source in m.sources} for m in (old, new))
    for name in dict.fromkeys([*before, *after]):
        was, now = _source(before.get(name)), _source(after.get(name))
        if was != now:
            yield f"{'digits of':11} {name}: {was} -> {now}"
        elif before[name] != after[name]:
            yield f"{'digits of':11} {name}: the same, under other ids"


def _source(source: dict[str, Any] | None) -> str:
    if source is None:
        return _ABSENT
    return (
        f"{source['count']:,} by {writers_in(source):,} writers, {source['licence']}, "
        f"SHA-256 {source['sha256'][:16]}"
    )


def _histograms(diff: Diff) -> Iterator[str]:
    for name in ("digits", "lengths"):
        old, new = (flat({name: _named(counts[name])}) for counts in diff.histograms)
        if old == new:
            yield f"{name:11} as before"
        for place in old if old != new else ():
            yield f"{place:11} {old[place]:,} -> {new[place]:,}"


def _named(counts: Any) -> dict[str, int]:
    return counts if isinstance(counts, dict) else {f"{i}": n for i, n in enumerate(counts)}
