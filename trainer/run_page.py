"""A run as one HTML file: how it was trained, on what, how it learned and how well it reads."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from shards.document import details, document, heading, paragraph, picture, table
from shards.errors import UserError
from shards.manifest import Manifest, writers_in
from shards.preview import preview
from shards.reader import DataSet
from trainer.checkpoint import BEST, Header, read_header
from trainer.compare import seconds_an_image
from trainer.config import Config
from trainer.facts import read_card
from trainer.files import INT8_READER, READER
from trainer.log import CURVES, LOG, draw_curves
from trainer.metrics import Evaluation
from trainer.report import CONFUSION, EVALUATION, RELIABILITY, WORST, read_report

_SHOWN = 40  # images of the data set
_PICTURES = {  # of an evaluation
    CONFUSION: "how often each true digit was read as each other one",
    RELIABILITY: "how much is right at each confidence",
    WORST: "numbers read wrongly, the surest first",
}


def as_html(run: Path, data: DataSet | None = None, exported: Path | None = None) -> str:
    """Return the page of a run folder; nothing in it is loaded from elsewhere.

    It has all evaluations that lie in the run, facts and pictures of `data`, which must be what it
    was trained on, and the readers in `exported` (or `<run>/onnx`), timed on `data`'s test.
    Raises UserError for a folder that is no run, other data, and files that are damaged.
    """
    if not (run / BEST).is_file() or not (run / LOG).is_file():
        raise UserError(
            f"{run} is no run, which has {BEST} and {LOG}; name a folder that trainer train made"
        )
    header = read_header(run / BEST)
    if data and data.manifest.fingerprint != header.fingerprint:
        raise UserError(f"{run} was trained on {header.data}, other data than {data.where}")
    draw_curves(run)
    parts = [
        *_training(header),
        picture((run / CURVES).read_bytes(), "loss and accuracy over the steps"),
        *(_data(data) if data else []),
        *_evaluations(run),
        *_readers(exported or run / "onnx", data, named=exported is not None),
    ]
    return document(f"Run {run.resolve().name}", parts)


def _training(header: Header) -> Iterator[str]:
    yield paragraph(
        f"{header.model}, trained on {header.data} for {header.seconds / 60:.1f} minutes and "
        f"{header.updates:,} steps; {header.accuracy:.4f} of the validation numbers are read "
        "exactly right by the weights that were kept."
    )
    usual = {field.name: field.default for field in fields(Config)}
    rows = [
        [name, f"{value}", "" if value == usual.get(name) else "chosen"]
        for name, value in header.config.items()
    ]
    yield heading("Training")
    yield details("options", table(["option", "value", ""], rows))


def _data(data: DataSet) -> Iterator[str]:
    manifest = data.manifest
    splits = ", ".join(f"{count:,} {split}" for split, count in manifest.splits.items())
    yield heading(f"Data: {manifest.name} {manifest.version}")
    yield paragraph(f"{splits}; seed {manifest.seed}, fingerprint {manifest.fingerprint[:16]}.")
    yield table(["source", "licence", "digits", "writers"], _sources(manifest))
    recipe = [[name, str(value)] for name, value in manifest.recipe.items()]
    yield details("recipe", table(["parameter", "value"], recipe))
    yield picture(preview(data, "train", _SHOWN), f"{_SHOWN} of the images to train on")


def _sources(manifest: Manifest) -> list[list[str]]:
    return [
        [s["name"], s["licence"], f"{s['count']:,}", f"{writers_in(s):,}"] for s in manifest.sources
    ]


def _evaluations(run: Path) -> Iterator[str]:
    """The evaluations in the run, and those of its readers."""
    found = sorted(path.parent for path in run.rglob(EVALUATION))
    folders = [folder for folder in found if not (folder / READER).is_file()]  # which are shipped
    if not folders:
        yield heading("Evaluation")
        yield paragraph(f"None yet; trainer evaluate {run} DATA makes one.")
    for folder in folders:
        data, split, result = read_report(folder)
        where = folder.parent.relative_to(run)
        yield heading(
            f"Evaluation: {data}, {split}" if where == Path() else f"{where}: {folder.name}"
        )
        yield from _figures(result)
        for name, meaning in _PICTURES.items():
            if (folder / name).is_file():
                yield picture((folder / name).read_bytes(), f"{folder.name}: {meaning}")


def _figures(result: Evaluation) -> Iterator[str]:
    sure = result.calibration
    counted = {"all": result.exact}
    counted |= {f"of length {length}": rate for length, rate in result.by_length.items()}
    counted["surest 95 %"] = sure.covered
    rows = [
        [name, f"{rate.count:,}", f"{rate.share:.4f}", f"{rate.low:.4f} to {rate.high:.4f}"]
        for name, rate in counted.items()
    ]
    yield table(["numbers", "n", "exact", "95 % interval"], rows)
    yield paragraph(
        f"Edits per digit {result.digit_error_rate:.4f}; calibration error {sure.error:.4f}; the "
        f"surest 95 % have a confidence of {sure.threshold:.3f} or more."
    )


def _readers(folder: Path, data: DataSet | None, *, named: bool) -> Iterator[str]:
    files = [folder / name for name in (READER, INT8_READER) if (folder / name).is_file()]
    if named and not files:
        raise UserError(f"{folder} has no {READER}; name a folder that trainer export made")
    if not files:
        return
    times = seconds_an_image(files, data) if data and data.manifest.splits.get("test") else []
    yield heading("Readers")
    rows = []
    for number, file in enumerate(files):
        card = read_card(file)
        time = f"{1e3 * times[number]:.2f}" if times else "not measured"
        size = f"{file.stat().st_size / 1e3:,.0f}"
        accuracy = f"{card['accuracy']} (n = {card['accuracy_images']})"
        rows.append([file.name, size, time, accuracy, card["accuracy_on"]])
    yield table(["file", "KB", "ms a number, one thread", "exact", "on"], rows)
