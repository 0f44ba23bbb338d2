"""All benchmarks of the CPU: one Markdown table, and the same as JSON.

python -m tests.benchmarks --bank data/bank.h5 --out bench.json
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from generator.bank import Bank
from generator.embedded import embedded_bank
from shards.files import replacing
from shards.terminal import run
from tests.benchmarks.build import COUNT, COUNT_BY_PIL, build_rows
from tests.benchmarks.generate import render_rows
from tests.benchmarks.read import make_data, read_rows
from tests.benchmarks.table import as_json, as_markdown

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def bench(
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("data/bench.json"),
    count: Annotated[int, typer.Option(min=1, help="Images of each build.")] = COUNT,
    count_by_pil: Annotated[int, typer.Option(min=1, help="By its baseline.")] = COUNT_BY_PIL,
    workers: Annotated[int, typer.Option(min=1, help="Processes of a build.")] = min(
        2, os.cpu_count() or 1
    ),
) -> None:
    """Measure each stage beside what one would use instead, in turn, and print one table."""
    path = (bank or embedded_bank()).resolve()
    # Builds first: see build_rows.
    built = build_rows(path, workers, count, count_by_pil)
    rows = render_rows(Bank(path)) + built
    with TemporaryDirectory(prefix="bench-") as folder:
        rows += read_rows(make_data(Path(folder) / "set", path))
    typer.echo(as_markdown(rows))
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as file:
        file.write(as_json(rows).encode())
    typer.echo(f"\n{out}: the same, with machine, versions and commit")


if __name__ == "__main__":
    run(app)()
