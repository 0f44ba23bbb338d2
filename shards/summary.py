"""A data set in a few lines of text."""

import json

from shards.manifest import Addition, Manifest, writers_in
from shards.reader import DataSet


def summary(dataset: DataSet) -> str:
    """Describe `dataset` for a terminal: identity, splits, sources, recipe, histograms."""
    manifest = dataset.manifest
    total = sum(entry.bytes for entry in manifest.shards)
    lines = [
        f"{manifest.name} {manifest.version} (format {manifest.format}, seed {manifest.seed})",
        f"fingerprint {manifest.fingerprint}",
        f"{sum(manifest.splits.values()):,} samples in {len(manifest.shards)} shards, "
        f"{total:,} bytes",
        "",
        *_splits(dataset),
        "",
        *_sources(dataset),
        "",
        f"recipe      {json.dumps(manifest.recipe)}",
        f"tools       {_tools(manifest)}",
        *(f"added       {_sizes(added)}, with {_tools(added)}" for added in manifest.additions),
        *(f"{name:11} {_counts(counts)}" for name, counts in manifest.histograms.items()),
    ]
    return "\n".join(lines)


def _splits(dataset: DataSet) -> list[str]:
    lines = []
    for split, count in dataset.manifest.splits.items():
        shards = sum(entry.split == split for entry in dataset.manifest.shards)
        ready = dataset.ready(split)
        note = "" if ready == count else f", {ready:,} of them on disk so far"
        lines.append(f"{split:11} {count:,} samples in {shards} shards{note}")
    return lines


def _tools(made: Manifest | Addition) -> str:
    return ", ".join(f"{name} {tool}" for name, tool in made.tools.items())


def _sizes(added: Addition) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in added.splits.items())


def _sources(dataset: DataSet) -> list[str]:
    return [
        f"{source['name']:11} {source['count']:,} digits, {writers_in(source):,} writers, "
        f"{source['licence']}"
        for source in dataset.manifest.sources
    ]


def _counts(counts: dict[str, int] | list[int]) -> str:
    pairs = counts.items() if isinstance(counts, dict) else enumerate(counts)
    return "  ".join(f"{name}: {count:,}" for name, count in pairs)
