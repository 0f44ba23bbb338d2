"""Size against accuracy: the readers that were compared, beside those they want to replace."""

from itertools import groupby
from pathlib import Path

from shards.files import replacing
from trainer.compare import Measured, Row

# MB and share of exact numbers of its three models, fp32 and int8 (dynamic), as the reference
# project published them: on 3,000 numbers of its own test.
REFERENCE = {
    "base": ((33.3, 0.9749), (8.4, 0.9749)),
    "optimized": ((9.8, 0.9815), (2.5, 0.9814)),
    "lightweight": ((8.3, 0.9267), (2.1, 0.9274)),
}
_OURS, _THEIRS = "tab:blue", "tab:gray"
_MARKS = {"fp32": "s", "int8": "o"}


def draw_sizes(rows: list[Row], data: str, path: Path) -> None:
    """Save a PNG of all readers in `rows`, measured on `data`, with 95 % intervals."""
    from matplotlib.figure import Figure  # without pyplot there is no global state and no display

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, published in REFERENCE.items():
        axes.plot(*zip(*published, strict=True), color=_THEIRS, linewidth=1, alpha=0.6)
        for (size, share), mark in zip(published, _MARKS.values(), strict=True):
            axes.plot(size, share, mark, color=_THEIRS, markerfacecolor="none")
        _name(axes, f"reference, {name}", published[0], _THEIRS)
    for label, readers in lines(rows):
        found = {
            name: (reader.bytes / 1e6, reader.evaluation.exact) for name, reader in readers.items()
        }
        points = [(size, exact.share) for size, exact in found.values()]
        axes.plot(*zip(*points, strict=True), color=_OURS, linewidth=1, alpha=0.6)
        for name, (size, exact) in found.items():
            spread = [[exact.share - exact.low], [exact.high - exact.share]]
            axes.errorbar(size, exact.share, spread, color=_OURS, marker=_MARKS[name], capsize=2)
        _name(axes, label, points[0], _OURS)
    for name, mark in _MARKS.items():
        axes.plot([], [], mark, color="black", label=name)
    count = max(r.evaluation.exact.count for row in rows for r in row.readers.values())
    axes.set(xscale="log", xlim=(None, 120), xlabel="MB of the file", ylabel="exact numbers")
    axes.set_title(
        f"{data}, test, n = {count:,}; the reference's on its own, n = 3,000", fontsize=10
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def lines(rows: list[Row]) -> list[tuple[str, dict[str, Measured]]]:
    """Readers by precision, with their names: those of a model that ship apart are on one line."""
    by_model = groupby(sorted(rows, key=lambda row: row.model), lambda row: row.model)
    drawn: list[tuple[str, dict[str, Measured]]] = []
    for model, group in by_model:
        found = list(group)
        precisions = [name for row in found for name in row.readers]
        if len(set(precisions)) == len(precisions):
            drawn.append((model, {name: r for row in found for name, r in row.readers.items()}))
        else:
            drawn += [(row.name, row.readers) for row in found]
    return drawn


def _name(axes: object, text: str, at: tuple[float, float], color: str) -> None:
    axes.annotate(text, at, (7, -11), textcoords="offset points", color=color, fontsize=9)  # type: ignore[attr-defined]
