"""The commands of `trainer` for those who put a reader into a game."""

from pathlib import Path
from typing import Annotated

import typer

from shards.remote.place import redacted
from trainer.options import Data

Asked = Annotated[int, typer.Option(min=1, help="At most this many numbers are asked about.")]

app = typer.Typer()


@app.command()
def check(
    drawing: Annotated[Path, typer.Argument(help="Image file of any size and polarity.")],
    answer: Annotated[str, typer.Option(help="What should be drawn: 1 to 5 digits.")],
    model: Annotated[
        Path | None, typer.Option(help="A checker.onnx, or the name of a reader that ships. [nano]")
    ] = None,
) -> None:
    """Say whether a drawing shows the expected answer: right, wrong or ask again.

    Prints the verdict, the probability that exactly this answer is drawn (leading zeros count), and
    what is read instead with its probability. The thresholds are in checker.onnx; trainer answers
    shows what they, and others, let pass.
    """
    from trainer.check import Checker

    found = Checker(model).check(drawing, answer)
    read = f"its value is read as {found.value}" if found.value >= 0 else "no number is read"
    typer.echo(
        f"{found.verdict}\t{answer} has probability {found.probability:.3f}\t"
        f"{read}, {found.reading_probability:.3f}"
    )


@app.command()
def answers(
    model: Annotated[Path, typer.Argument(help="A checker.onnx.")],
    data: Data,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    images: Asked = 4_000,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write, too.")] = None,
) -> None:
    """Measure a checker as a decision: who is wrongly believed, refused, asked again.

    Each number is asked about with its own answer and with one of each kind that children mix up:
    digits swapped, 6 for 9, 1 for 7, off by one, a digit missing or doubled. The tables show what
    other thresholds would do; a game can apply its own to the probabilities.
    """
    from shards.files import replacing
    from shards.opening import open_data
    from trainer.answers import as_markdown, ask_split, by_file
    from trainer.check_export import read_thresholds
    from trainer.facts import read_card
    from trainer.runtime import open_session

    thresholds = read_thresholds(read_card(model), model)
    asked = ask_split(by_file(open_session(model, ("answer",))), open_data(data), split, images)
    table = as_markdown(asked, thresholds)
    typer.echo(table)
    if out:
        with replacing(out) as file:
            file.write(table.encode() + b"\n")


@app.command()
def checker(
    folder: Annotated[Path, typer.Argument(help="Holds logits.onnx, logits.int8.onnx or both.")],
    data: Annotated[str, typer.Argument(help="Data set on whose val split to set thresholds.")],
    images: Asked = 4_000,
) -> None:
    """Make checker.onnx of the logits.onnx beside it; export and quantize do it by themselves.

    For readers that came without one.
    """
    from shards.opening import open_data
    from trainer.check_export import add_checkers

    for made in add_checkers(folder, open_data(data), images):
        typer.echo(f"written: {made}; next: trainer answers {made} {redacted(data)}")


@app.command()
def mobile(
    folder: Annotated[Path, typer.Argument(help="Holds reader.onnx, checker.onnx or both.")],
    out: Annotated[Path, typer.Argument(help="Folder for the files.")],
) -> None:
    """Write readers for phones: .ort files, the operators of a minimal build, 16-bit weights.

    docs/mobile.md tells what each is worth. Most games need none of it: reader.onnx runs as it is.
    """
    from trainer.mobile import to_mobile

    for made in to_mobile(folder, out):
        typer.echo(f"written: {made}, {made.stat().st_size:,} bytes")


@app.command()
def whence(
    file: Annotated[Path, typer.Argument(help="A reader.onnx, checker.onnx or logits.onnx.")],
    data: Annotated[
        list[str] | None, typer.Option(help="Data set to compare with; repeat for more.")
    ] = None,
) -> None:
    """Tell where a reader comes from: checkpoint, data, recipe, digits, figures, tools.

    Goes by the file's metadata and what lies beside it, and says what is missing. Where something
    does not match (figures, facts or weights of another reader, another data set), the exit status
    is 1.
    """
    from shards.opening import open_data
    from trainer.whence import as_text, whence

    lineage = whence(file, [open_data(place) for place in data or []])
    typer.echo(as_text(lineage))
    raise typer.Exit(1 if lineage.wrong else 0)
