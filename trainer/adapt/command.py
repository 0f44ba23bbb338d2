"""The command `trainer adapt`; it loads nothing heavy before it is called."""

from pathlib import Path
from typing import Annotated

import typer


def adapt(
    digits: Annotated[
        Path, typer.Option(help="Folder of someone's digits, <digit>/<writer>_<n>.png.")
    ],
    out: Annotated[
        Path | None, typer.Argument(help="New folder for it all; else runs/adapted-DIGITS.")
    ] = None,
    init: Annotated[
        Path, typer.Option(help="The reader to start from: one that ships, a run, a checkpoint.")
    ] = Path("nano"),
    others: Annotated[
        str | None,
        typer.Option(help="Data set of everyone else's numbers to train on, beside embedded ones."),
    ] = None,
    test: Annotated[
        list[str], typer.Option(help="Data set that must not be read worse; repeat for more.")
    ] = [],  # noqa: B006
    max_drop: Annotated[
        float,
        typer.Option(help="How much less may be read of any test but the held-out digits."),
    ] = 0.01,
    images: Annotated[int, typer.Option(help="Numbers to train on.")] = 100_000,
    own: Annotated[float, typer.Option(help="Share of them that is of these digits.")] = 0.2,
    minutes: Annotated[float, typer.Option(help="Of training, at most; 0: no limit.")] = 0.0,
    threads: Annotated[
        int, typer.Option(min=0, max=1024, help="CPU threads; 0: one per core.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Decides the numbers and their order.")] = 1,
) -> None:
    """Make a reader better at someone's hands: minutes on a CPU, from ten digits of each or so.

    A quarter of the pictures is held out. Numbers composed of the others, mixed with everyone
    else's, train on from the reader; then as much of the change is kept as costs everyone else
    next to nothing. Held-out digits and the standard tests are read before and after; where one
    of the tests loses more than --max-drop, no reader is made and the exit status is 1.

    OUT gets MODEL-fp32 and MODEL-int8, adaptation.txt and .json, the run, and the numbers in
    data/, which may be deleted.
    """
    from shards.opening import open_data
    from trainer.adapt import adapt as adaptation
    from trainer.adapt.outcome import as_text

    options = adaptation.Options(images, own, max_drop=max_drop, minutes=minutes, seed=seed)
    folder = out or Path("runs") / f"adapted-{digits.resolve().name}"
    mixed = open_data(others) if others else None
    tests = [open_data(place) for place in test]
    outcome = adaptation.adapt(digits, folder, init, mixed, tests, options, threads)
    typer.echo(as_text(outcome))
    typer.echo(f"written: {', '.join([*outcome.readers, str(folder / 'adaptation.json')])}")
    raise typer.Exit(1 if outcome.refused else 0)
