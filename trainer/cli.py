"""The command `trainer`: train a reader on shards, measure it, shrink it, use it."""

from pathlib import Path
from typing import Annotated

import typer

from shards import terminal
from shards.remote.place import redacted
from trainer.adapt.command import adapt
from trainer.cli_game import app as game
from trainer.cli_measure import compare, evaluate, report
from trainer.cli_train import train
from trainer.options import Data, Images

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train number readers on shards, measure them, and make ONNX files of them.",
)


app.command()(train)
app.command()(evaluate)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Run folder or .safetensors file.")],
    out: Annotated[Path, typer.Argument(help="Folder for the files.")],
    data: Annotated[str, typer.Option(help="Data set whose test split proves them.")],
    images: Images = 3_000,
) -> None:
    """Make reader.onnx, checker.onnx and logits.onnx, and prove that they read as the run does.

    reader.onnx: float32 [1, 1, 32, 128] in 0..1 in, float32 [1, 13] out: value, confidence,
    count, 5 digits, 5 digit confidences. checker.onnx takes the digits of the expected answer, too,
    and says whether it is drawn. logits.onnx: any batch in, CTC logits out.
    """
    from shards.opening import open_data
    from trainer.export import export

    card = export(run, out, open_data(data), images)
    typer.echo(
        f"exported: {out}, accuracy {card['accuracy']} (n = {card['accuracy_images']}); "
        f"next: trainer quantize {out} {redacted(data)}"
    )


@app.command()
def average(
    run: Annotated[Path, typer.Argument(help="Run folder, checkpoint or shipped reader.")],
    other: Annotated[Path, typer.Argument(help="What it began from, or another run from that.")],
    out: Annotated[Path, typer.Argument(help="Folder for the averaged checkpoint.")],
    data: Annotated[str, typer.Option(help="Data set on whose val split the averages are tried.")],
    images: Images = 4_000,
) -> None:
    """Average the weights of two runs, in a share that reads unseen writers well.

    A run learns and forgets; between its weights and those it began from (--init) lie readers that
    have done less of the latter. Eleven shares are tried; of those no worse than the best by more
    than chance, the one nearest to a half is kept.
    """
    from shards.opening import open_data
    from trainer.average import average

    kept, losses = average(run, other, out, open_data(data), images)
    for share, each in losses.items():
        mark = "  kept" if share == kept else ""
        typer.echo(f"{share:.1f} of {run}: val loss {each.mean():.4f}{mark}")
    typer.echo(f"written: {out}; next: trainer export {out} OUT --data {redacted(data)}")


@app.command()
def quantize(
    folder: Annotated[Path, typer.Argument(help="Folder that trainer export wrote.")],
    data: Data,
    max_drop: Annotated[float, typer.Option(help="Largest loss of accuracy.")] = 0.005,
    images: Images = 3_000,
) -> None:
    """Make the same three files in 8 bits, a quarter of the size, and measure the loss."""
    from shards.opening import open_data
    from trainer.metrics import side_by_side
    from trainer.quantize import quantize

    report = quantize(folder, open_data(data), max_drop, images)
    typer.echo(f"{report.bytes_before / 1e3:,.0f} KB to {report.bytes_after / 1e3:,.0f} KB; exact:")
    for name, count, before, after in side_by_side(report.before, report.after):
        typer.echo(f"{name:>12}  {before} to {after}  n = {count}")
    typer.echo(f"written: {folder}")


@app.command()
def read(
    drawings: Annotated[list[Path], typer.Argument(help="Image files of any size and polarity.")],
    model: Annotated[
        Path | None, typer.Option(help="A reader.onnx, or the name of one that ships. [nano]")
    ] = None,
) -> None:
    """Read drawn numbers: one line per file with the number and its confidence, 0..1.

    A drawing without a number of 1 to 5 digits is named on stderr, and the exit status is 1; the
    others are read all the same.
    """
    from shards.errors import UserError
    from trainer.read import Reader

    reader, faults = Reader(model), 0
    for drawing in drawings:
        try:
            reading = reader.read(drawing)
            if reading.fault:
                raise UserError(f"{drawing}: {reading.fault}")
        except UserError as error:
            typer.echo(f"error: {error}", err=True)
            faults += 1
        else:
            typer.echo(f"{drawing}\t{reading.text}\t{reading.confidence:.3f}")
    raise typer.Exit(1 if faults else 0)


@app.command()
def demo(
    keep: Annotated[
        Path, typer.Option(help="Gets drawings that are kept: <number>_<n>.png and .json.")
    ] = Path("data/hard"),
    model: Annotated[
        list[Path], typer.Option(help="A reader.onnx beside those that ship; repeat for more.")
    ] = [],  # noqa: B006
    host: Annotated[
        str, typer.Option(help="Address to serve; 0.0.0.0 lets phones in this network draw.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve.")] = 8311,
) -> None:
    """Open a page that reads what is drawn on it, stroke by stroke, and shows how sure it is.

    The page shows the picture as the reader sees it, says right, wrong or ask again to an expected
    answer, and keeps drawings that are read wrong, with their strokes: packed as a tar they become
    a test set by shards import.
    """
    from shards.pages.app import Site
    from shards.pages.serve import serve
    from shards.pages.store import Store
    from shards.pages.token import token
    from trainer.demo import demo_app, readers

    site = Site(host, port, token())
    page = demo_app(Store(keep), readers(model), site)
    serve(page, site)


app.command()(compare)


@app.command()
def kit(
    folder: Annotated[Path, typer.Argument(help="New folder for the kit.")],
    engine: Annotated[str, typer.Option("--for", help="godot, web or native (C).")],
    model: Annotated[
        str, typer.Option(help="A folder with a reader.onnx, or the name of a reader that ships.")
    ] = "nano",
) -> None:
    """Write what a game needs to read numbers: code, a README, reader.onnx, and checker.onnx.

    The kits turn any drawing into the reader's input, run the reader offline, and say what comes
    of bad input. The checker, which says whether an expected answer is drawn, comes along where
    the reader has one.
    """
    from trainer.kit import find_model, write_kit

    files = write_kit(folder, engine, model)
    typer.echo(f"the reader: {find_model(model)}")
    typer.echo(f"written: {folder} ({', '.join(files)}); next: {folder / 'README.md'}")


@app.command()
def ship(
    folder: Annotated[Path, typer.Argument(help="Folder of trainer export and quantize.")],
    out: Annotated[Path, typer.Argument(help="Gets MODEL-fp32 and MODEL-int8.")],
    test: Annotated[list[str], typer.Option(help="Data set to measure on; repeat for more.")],
    commands: Annotated[
        Path | None, typer.Option(help="Text file of the commands that made it, for the card.")
    ] = None,
    images: Images = 1_000_000,
) -> None:
    """Make folders to give away: reader.onnx, logits.onnx, figures, a card, weights to go on from.

    The card tells digits and recipe where the training set is among the test sets.
    """
    from shards.opening import open_data
    from trainer.ship import read_commands, ship

    lines = read_commands(commands) if commands else []
    for made in ship(folder, out, [open_data(place) for place in test], images, lines):
        typer.echo(f"written: {made}, with README.md")


app.command()(report)
app.command()(adapt)
app.add_typer(game)
main = terminal.run(app)
