"""All benchmarks of the CPU: one Markdown table, and the same as JSON.

python -m tests.benchmarks --bank data/bank.h5 --out bench.json

Rates are per second of CPU time of one thread unless they are said to be by the clock.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from generator.bank import Bank
from generator.embedded import embedded_bank
from shards.files import replacing
from shards.terminal import progress, run
from tests.benchmarks.build import build_rows
from tests.benchmarks.generate import render_rows
from tests.benchmarks.infer import infer_rows
from tests.benchmarks.read import make_data, read_rows
from tests.benchmarks.table import Row, as_json, as_markdown, heading
from tests.benchmarks.train import train_rows

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def bench(
    bank: Annotated[Path | None, typer.Option(help="Digit bank; else the embedded digits.")] = None,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("data/bench.json"),
    reader: Annotated[Path | None, typer.Option(help="A trained nano reader, 8-bit.")] = None,
    long: Annotated[bool, typer.Option("--long", help="Build up to a million images.")] = False,
) -> None:
    """Measure each stage beside what one would use instead, in turn, and print one table."""
    path = (bank or embedded_bank()).resolve()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="bench-") as name, progress("stages") as bar:
        folder = Path(name)
        data = make_data(folder / "set", path)
        stages: dict[str, Callable[[], list[Row]]] = {
            "build": lambda: build_rows(path, long=long),
            "render": lambda: render_rows(Bank(path)),
            "read shards": lambda: read_rows(data, folder),
            "read numbers": lambda: infer_rows(data, folder, reader),
            "train": lambda: train_rows(data),
        }
        task = bar.add_task("", total=len(stages))
        for stage, measure in stages.items():
            bar.update(task, description=stage)
            rows += measure()
            bar.advance(task)
    typer.echo(f"{heading()}\n\n{as_markdown(rows)}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as file:
        file.write(as_json(rows).encode())
    typer.echo(f"\n{out}: the same, with machine, versions and commit")


if __name__ == "__main__":
    run(app)()
