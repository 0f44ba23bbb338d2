"""The command `generator`: digits in, shards out."""

from pathlib import Path
from typing import Annotated

import typer

from generator import preview as pictures
from generator.bank import Bank, build_bank
from generator.cli_build import app as building
from generator.embedded import LICENCE, custom_digits, embedded_bank
from generator.options import BankFile, Preset, Seed, Settings
from generator.pen import save_digits
from generator.recipe import preset
from generator.sources.digits import Digits, same_hands
from generator.sources.folder import read_folder
from generator.sources.mnist import download_mnist, read_mnist
from shards import terminal
from shards.files import replacing, save_image
from shards.options import picture

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn single handwritten digits into labelled 32x128 images of numbers, as shards.",
)


@app.command()
def digits(
    out: Annotated[Path, typer.Argument(help="The bank to write, like data/bank.h5.")],
    mnist: Annotated[Path | None, typer.Option(help="Folder of MNIST's four idx files.")] = None,
    download: Annotated[
        bool, typer.Option("--download-mnist", help="Download MNIST (11 MB) into the cache.")
    ] = False,
    folder: Annotated[
        list[Path], typer.Option(help="Folder of <digit>/<writer>_<n>.png; repeat for more.")
    ] = [],  # noqa: B006
    leave_out: Annotated[
        list[Path], typer.Option(help="Files that `doctor --json` called bad; repeat for more.")
    ] = [],  # noqa: B006
    licence: Annotated[str, typer.Option(help="Licence of the folders' digits.")] = "unknown",
    custom: Annotated[
        bool, typer.Option(help="Take the embedded digits, custom_digits/, too.")
    ] = True,
    val: Annotated[float, typer.Option(min=0, max=0.5, help="Writers who validate.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Writers who test; 1: all.")] = 0.1,
    max_per_class: Annotated[
        int | None, typer.Option(min=1, help="Digits of each class, from each source, at most.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(callback=picture, help="Also draw a contact sheet (PNG).")
    ] = None,
) -> None:
    """Build a digit bank from MNIST, from folders of pictures and from the embedded digits.

    Writers are dealt into train, val and test, so that no hand is in two of them, nor a name that
    several folders have; MNIST's test part is test throughout, by other people, and writers.npz
    beside its files says who wrote the others (README). Each digit is thinned to its centreline, so
    that recipes can ink it with any pen. What `generator doctor FOLDER --json FILE` calls bad,
    `--leave-out FILE` does without.
    """
    sources: list[Digits] = []
    if download and mnist is None:
        mnist = download_mnist()
    if mnist is not None:
        sources.append(read_mnist(mnist, val))
    without = _bad_files(leave_out, folder)
    folders = [read_folder(path, licence, val, test, without) for path in folder]
    if custom:
        folders.append(read_folder(custom_digits(), LICENCE, val, test))
    sources += same_hands(folders)
    if max_per_class is not None:
        sources = [source.at_most(max_per_class) for source in sources]
    bank = build_bank(out, sources)
    typer.echo(pictures.counts(bank))
    typer.echo(f"{out}: {len(bank):,} digits, {out.stat().st_size / 1e6:,.0f} MB")
    if sheet is not None:
        save_image(pictures.preview_bank(bank, 20), sheet)
        typer.echo(f"{sheet}: a sheet of them")


def _bad_files(findings: list[Path], folders: list[Path]) -> frozenset[Path]:
    from generator.doctor.findings_file import bad_files

    return frozenset[Path]().union(*(bad_files(path, folders) for path in findings))


@app.command()
def doctor(
    folder: Annotated[Path, typer.Argument(help="Folder of <digit>/<writer>_<n>.png.")],
    bank: BankFile = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with pictures of what was found.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write every finding: path, kind, reason, score.")
    ] = None,
) -> None:
    """Examine a folder of digits before it spoils a model.

    Finds pictures that cannot be read, are empty, cut off or dirty, ink in the alpha channel,
    mixed polarity, duplicates (with other labels, too), pictures that are turned or mirrored, and
    digits that look mislabelled beside the other writers' and a bank's. Nothing is changed.
    """
    from generator.doctor import as_html, as_json, as_text, examine

    report = examine(folder, Bank(bank or embedded_bank()))
    typer.echo(as_text(report))
    for path, write in ((html, as_html), (json, as_json)):
        if path is not None:
            with replacing(path) as file:
                file.write(write(report).encode())
            typer.echo(f"{path}: written")


@app.command()
def pen(
    out: Annotated[
        Path, typer.Argument(help="Gets <digit>/<writer>_<n>.png and the strokes, .json.")
    ],
    writers: Annotated[int, typer.Option(min=1, max=1_000_000, help="Model writers.")] = 40,
    per_digit: Annotated[int, typer.Option(min=1, max=10_000, help="Of each digit, each.")] = 5,
    seed: Annotated[
        int, typer.Option(min=0, help="Which hands write; those of 1 are the embedded digits.")
    ] = 2,
) -> None:
    """Draw digits with the pen model: strokes of invented hands, inked by a round pen.

    Each is saved as a picture and as strokes, which the bank inks with any pen. The same command
    goes on where it was cut off; hands of another seed want another folder.
    """
    count = save_digits(out, writers, per_digit, seed)
    typer.echo(f"{out}: {count:,} digits by {writers} model writers")


@app.command()
def draw(
    folder: Annotated[
        Path, typer.Argument(help="Gets <digit>/<writer>_<n>.png and the strokes, .json.")
    ] = Path("my_digits"),
    per_digit: Annotated[int, typer.Option(min=1, max=100, help="Of each digit, each.")] = 3,
    host: Annotated[
        str, typer.Option(help="Address to serve; 0.0.0.0 lets tablets in this network draw.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve.")] = 8310,
) -> None:
    """Open a page on which people draw digits, one after the other, with whatever they have.

    Each is saved at once, as a picture and as strokes, which the bank inks with any pen. Pages that
    are open when this ends keep what is drawn and send it when it runs again. With --host the
    address is shown as a QR code, too, for a class with tablets.
    """
    from generator.draw import draw_app
    from shards.pages.app import Site
    from shards.pages.serve import serve
    from shards.pages.store import Store
    from shards.pages.token import token

    site = Site(host, port, token())
    page = draw_app(Store(folder), per_digit, site)
    typer.echo(f"drawings are saved in {folder}; Ctrl-C ends")
    serve(page, site)
    typer.echo(f"next: generator digits data/bank.h5 --folder {folder}")


@app.command()
def preview(
    out: Annotated[Path, typer.Argument(callback=picture, help="The PNG to draw.")],
    preset_name: Preset = "child",
    count: Annotated[
        int, typer.Option(min=1, max=2000, help="Numbers on the sheet, but for --sweep.")
    ] = 60,
    seed: Seed = 1,
    bank: BankFile = None,
    settings: Settings = [],  # noqa: B006
    by_parameter: Annotated[
        bool, typer.Option("--sweep", help="A row for each parameter instead, from low to high.")
    ] = False,
) -> None:
    """Draw a sheet of numbers as a recipe makes them, without building a data set."""
    from generator.sweep import STEPS, sweep

    recipe = preset(preset_name).override(settings)
    digits = Bank(bank or embedded_bank())
    if by_parameter:
        save_image(sweep(digits, recipe, seed), out)
        typer.echo(
            f"{out}: each parameter of the recipe {recipe.name}, {STEPS} values of its range"
        )
    else:
        save_image(pictures.preview_recipe(digits, recipe, seed, count), out)
        typer.echo(f"{out}: {count} numbers of the recipe {recipe.name}")


app.add_typer(building)
main = terminal.run(app)
