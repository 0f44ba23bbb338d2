"""What two data sets share, in words, and what of it could not be shown."""

from collections.abc import Iterator

from shards.compare.overlap import EXAMPLES, KINDS, Overlap, Side


def as_text(overlap: Overlap) -> str:
    """Describe an overlap for a terminal: counts, examples, and how far the proof goes."""
    one, other = overlap.sides
    lines = [
        f"{_name(one)} and {_name(other)}: {len(one):,} and {len(other):,} samples",
        *_writers(overlap),
        *(line for kind in KINDS for line in _shared(overlap, kind)),
        *_limits(one, other),
    ]
    return "\n".join(lines)


def _name(side: Side) -> str:
    return f"{side.data.folder} ({', '.join(side.splits)})"


def _writers(overlap: Overlap) -> Iterator[str]:
    if not all(side.whose.writers for side in overlap.sides):
        return
    pairs, (one, other) = overlap.writers, overlap.sides
    yield f"{'writers':11} {len(pairs):,} shared" if pairs else f"{'writers':11} none shared"
    for mine, theirs in pairs[:EXAMPLES]:
        yield f"{'':11} {mine}: {one.writers[mine]} and {other.writers[theirs]}"


def _shared(overlap: Overlap, kind: str) -> Iterator[str]:
    one, other = overlap.sides
    if kind == "digits" and not _sources(one).keys() & _sources(other).keys():
        return
    mine, theirs = one.shared[kind], other.shared[kind]
    if not mine:
        yield f"{kind:11} none shared"
        return
    yield f"{kind:11} shared by {mine:,} and {theirs:,} samples"
    for first, second in overlap.examples[kind]:
        yield f"{'':11} {first} and {second}"


def _limits(one: Side, other: Side) -> Iterator[str]:
    """Say which sources ids compare, and what is not shown."""
    if unknown := [side for side in (one, other) if not side.whose.writers]:
        names = " and ".join(str(side.data.folder) for side in unknown)
        yield (
            f"not shown: whose digits {names} is made of is not known, so that only whole pictures "
            "were compared, byte by byte: the same digit in another number, and a picture that was "
            "moved, scaled or is one grey level off, is not found"
        )
        return
    mine, theirs = _sources(one), _sources(other)
    if common := [mine[sha256] for sha256 in mine.keys() & theirs.keys()]:
        yield f"shown by ids, for the source is the same in both: {', '.join(sorted(common))}"
    for side, here, there in ((one, mine, theirs), (other, theirs, mine)):
        if alone := sorted(here[sha256] for sha256 in here.keys() - there.keys()):
            yield (
                f"not shown by ids: sources that {side.data.folder} alone has, by their SHA-256: "
                f"{', '.join(alone)}; of them the names of writers and whole pictures, byte by "
                "byte, were compared"
            )


def _sources(side: Side) -> dict[str, str]:
    """Return the sources that samples are made of, by SHA-256."""
    return {writer.sha256: writer.source for writer in side.writers}
