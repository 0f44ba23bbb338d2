"""An evaluation for people and programs: text, JSON, and what there is to see as PNG."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shards.errors import UserError
from shards.files import replacing, save_image
from shards.labels import to_labels
from shards.preview import sheet
from shards.reader import DataSet
from trainer.ctc import Decoded
from trainer.metrics import Calibration, Evaluation, Rate, worst

EVALUATION = "evaluation.json"
CONFUSION, RELIABILITY, WORST = "confusion.png", "reliability.png", "worst.png"
_MOST = 60  # errors in a picture


def as_text(result: Evaluation) -> str:
    """Return the figures in lines, the commonest confusions last."""
    lines = [f"exact numbers     {_text(result.exact)}"]
    lines += [
        f"  of length {length}     {_text(rate)}" for length, rate in result.by_length.items()
    ]
    lines.append(f"digit error rate  {result.digit_error_rate:.4f}")
    calibration = result.calibration
    lines.append(f"calibration error {calibration.error:.4f}")
    lines.append(
        f"surest 95 %       {_text(calibration.covered)}, confidence {calibration.threshold:.3f} up"
    )
    pairs = [
        (count, true, read)
        for true, row in enumerate(result.confusion)
        for read, count in enumerate(row)
        if count and true != read
    ]
    commonest = ", ".join(f"{t} as {r}: {n}" for n, t, r in sorted(pairs, reverse=True)[:8])
    return "\n".join([*lines, f"confusions        {commonest or 'none'}"])


def write_report(
    folder: Path,
    result: Evaluation,
    read: Decoded,
    truth: NDArray[np.int8],
    data: DataSet,
    split: str,
    model: str = "",
) -> None:
    """Write evaluation.json, confusion.png, reliability.png and, after errors, worst.png.

    `model`, the reader's file or folder, is noted beside the figures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = {"data": data.manifest.name, "fingerprint": data.manifest.fingerprint, "split": split}
    head |= {"model": model} if model else {}
    with replacing(folder / EVALUATION) as file:
        file.write(json.dumps(head | asdict(result), indent=1).encode() + b"\n")
    _draw_confusion(np.array(result.confusion), folder / CONFUSION)
    _draw_reliability(result.calibration, folder / RELIABILITY)
    rows = worst(read, truth, _MOST)
    (folder / WORST).unlink(missing_ok=True)
    if len(rows):
        images, _ = data.gather(split, rows)
        labels = zip(to_labels(truth[rows]), _readings(read, rows), strict=True)
        captions = [f"{true} read {found}" for true, found in labels]
        save_image(sheet(images, captions, columns=4), folder / WORST)


def read_report(folder: Path) -> tuple[str, str, Evaluation]:
    """Return the data set's name, the split and the figures that `write_report` wrote.

    Raises UserError when evaluation.json is damaged.
    """
    path = folder / EVALUATION
    try:
        content = json.loads(path.read_bytes())
        calibration = content["calibration"]
        result = Evaluation(
            exact=Rate(**content["exact"]),
            by_length={int(n): Rate(**found) for n, found in content["by_length"].items()},
            digit_error_rate=float(content["digit_error_rate"]),
            confusion=content["confusion"],
            calibration=Calibration(**calibration | {"covered": Rate(**calibration["covered"])}),
        )
        return str(content["data"]), str(content["split"]), result
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}); evaluate again") from error


def _text(rate: Rate) -> str:
    return f"{rate.share:.4f}  [{rate.low:.4f}, {rate.high:.4f}]  n = {rate.count:,}"


def _readings(read: Decoded, rows: NDArray[np.int64]) -> list[str]:
    texts = to_labels(read.digits[rows])
    return [
        f"{text or 'nothing'}{'...' if read.count[row] > len(text) else ''}"
        f" ({read.confidence[row]:.2f})"
        for text, row in zip(texts, rows, strict=True)
    ]


def _draw_confusion(confusion: NDArray[np.int64], path: Path) -> None:
    from matplotlib.figure import Figure  # without pyplot there is no global state and no display

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    errors = confusion * (1 - np.eye(10, dtype=np.int64))
    axes.imshow(errors, cmap="Reds")
    dark = errors > 0.6 * errors.max()
    for true, read in np.ndindex(10, 10):
        if count := confusion[true, read]:
            color = "white" if dark[true, read] else "black"
            axes.text(read, true, str(count), ha="center", va="center", fontsize=7, color=color)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read", ylabel="true digit")
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def _draw_reliability(calibration: Calibration, path: Path) -> None:
    """Draw how much of each bin is right over its mean confidence; the diagonal is perfect."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot(calibration.confidence, calibration.right, marker="o")
    title = f"calibration error {calibration.error:.4f}"
    axes.set(xlabel="confidence", ylabel="right", xlim=(0, 1.02), ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.3)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)
