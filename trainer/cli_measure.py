"""The commands that measure readers and show runs; nothing heavy is loaded before a call."""

from pathlib import Path
from typing import Annotated

import typer

from trainer.options import Data, Device, Images, Split


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="Run folder, .safetensors or .onnx file, or a reader that ships.")
    ],
    data: Data,
    split: Split = "test",
    images: Images = 1_000_000,
    out: Annotated[
        Path | None,
        typer.Option(help="Gets JSON and pictures; else beside MODEL, or in runs/ if it ships."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Measure a reader: exact numbers with a 95 % interval, per length, digit errors, calibration.

    Writes evaluation.json, confusion.png, reliability.png and worst.png, the surest of its errors.
    Confidence is calibrated by export: that of a run is as the network has it.
    """
    from shards.opening import open_data
    from trainer.device import choose_device
    from trainer.metrics import evaluate
    from trainer.predict import open_reader, read_split
    from trainer.report import as_text, write_report
    from trainer.shipped import FOLDER, find_folder

    samples = open_data(data)
    read, truth = read_split(open_reader(model, choose_device(device)), samples, split, images)
    result = evaluate(read, truth)
    typer.echo(as_text(result))
    folder = model if model.exists() else find_folder(model)
    beside = folder if folder.is_dir() else folder.parent
    if beside.resolve().is_relative_to(FOLDER):
        beside = Path("runs") / beside.name
    file = "" if folder.is_dir() else f"{model.stem}-"  # of several in the folder
    folder = out or beside / f"evaluation-{file}{samples.manifest.name}-{split}"
    write_report(folder, result, read, truth, samples, split, str(model))
    typer.echo(f"written: {folder}")


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders of exported files.")],
    data: Annotated[str, typer.Option(help="Data set; accuracy is measured on its test split.")],
    images: Images = 3_000,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write, too.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="PNG to draw, too: accuracy over size, the reference's too.")
    ] = None,
) -> None:
    """Print the table of models: parameters, size, accuracy, time per image; fp32 and int8.

    Exports and quantizes runs that have no ONNX files yet, into RUN/onnx. Folders by trainer ship
    are measured as they are.
    """
    from shards.files import replacing
    from shards.opening import open_data
    from trainer.compare import as_markdown, compare
    from trainer.plot import draw_sizes

    samples = open_data(data)
    rows = compare(runs, samples, images)
    table = as_markdown(rows, samples.manifest.name)
    typer.echo(table)
    if plot:
        draw_sizes(rows, samples.manifest.name, plot)
    if out:
        with replacing(out) as file:
            file.write(table.encode() + b"\n")


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    data: Annotated[
        str | None, typer.Option(help="Its data set: shown, and read by the readers to time them.")
    ] = None,
    exported: Annotated[
        Path | None, typer.Option(help="Folder of its readers; else RUN/onnx.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The page; else RUN/report.html.")] = None,
) -> None:
    """Put a run into one HTML file: options, data, curves, evaluations with pictures, readers.

    Nothing is loaded from elsewhere. It has what trainer evaluate has left in the run.
    """
    from shards.files import replacing
    from shards.opening import open_data
    from trainer.run_page import as_html

    page = as_html(run, open_data(data) if data else None, exported)
    path = out or run / "report.html"
    with replacing(path) as file:
        file.write(page.encode())
    typer.echo(f"{path}: {len(page) / 1e3:,.0f} KB, to open in a browser")
