"""What the three commands share towards a person: errors as one sentence, a progress bar."""

import os
import signal
import sys
from collections.abc import Callable

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from shards.errors import UserError

# The extras that packages belong to; all else is of `train`.
_EXTRAS = dict.fromkeys(("flask", "segno", "waitress", "werkzeug"), "pages") | {"ray": "cluster"}


class _RateColumn(ProgressColumn):
    def __init__(self, unit: str) -> None:
        self.unit = unit
        super().__init__()

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self.unit}/s" if speed else f"- {self.unit}/s")


def progress(unit: str) -> Progress:
    """Return a progress bar on stderr with rate (`unit`/s) and ETA; silent in a pipe.

    Of processes that torchrun started together only the first shows it.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(unit),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty() or os.environ.get("RANK", "0") != "0",
    )


def run(app: typer.Typer) -> Callable[[], None]:
    """Wrap a typer app as a console script that turns expected failures into one sentence.

    `UserError`, a package of an extra that is not installed, and `OSError` (a full disk, a folder
    that cannot be written) and MemoryError exit with 1; anything else is a bug of ours and keeps
    its traceback.
    SIGTERM does what Ctrl-C does.
    """

    def main() -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            app()
        except UserError as error:
            sys.exit(_sentence(str(error), error))
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get(str(error.name), "train")
            sys.exit(
                f"error: {error.name} is not installed; run pip install 'digit-readers[{extra}]'"
            )
        except MemoryError as error:
            sys.exit(_sentence("the memory does not suffice; end other programs", error))
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            reason = error.strerror or str(error)
            sys.exit(_sentence(reason + where, error))

    return main


def _sentence(reason: str, error: Exception) -> str:
    return "; ".join([f"error: {reason}", *getattr(error, "__notes__", [])])
