"""Exported files to folders that can be given away: a reader, its figures and its card."""

import hashlib
import json
import platform
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from shards.errors import UserError
from shards.files import replacing
from shards.reader import DataSet
from shards.terminal import progress
from trainer.card import Figures, card
from trainer.check_export import decide
from trainer.checkpoint import WEIGHTS
from trainer.compare import seconds_an_image
from trainer.facts import read_card, read_json, refuse_quantized
from trainer.files import (
    CARD,
    CHECKER,
    INT8_CARD,
    INT8_CHECKER,
    INT8_LOGITS,
    INT8_READER,
    LOGITS,
    READER,
)
from trainer.metrics import Evaluation, evaluate
from trainer.predict import by_onnx, read_quietly
from trainer.report import write_report

EVALUATION, README = "evaluation.json", "README.md"
_FACTS = (
    *("polarity", "range", "reading", "fit", "trained"),
    *("data", "fingerprint", "digits", "temperature"),
)
FILES = {  # of an export, by precision: what ships, and what it is called there
    "fp32": {name: name for name in (READER, LOGITS, CARD, CHECKER, WEIGHTS)},
    "int8": {
        READER: INT8_READER,
        LOGITS: INT8_LOGITS,
        CARD: INT8_CARD,
        CHECKER: INT8_CHECKER,
    },
}
_OPTIONAL = (CHECKER, WEIGHTS)
_ASKED = 4_000  # numbers of each test set that a checker is asked about, five times or so


def ship(
    exported: Path,
    out: Path,
    tests: list[DataSet],
    images: int,
    commands: list[str],
    measured: dict[str, list[Evaluation]] | None = None,
) -> list[Path]:
    """Fill `<out>/<model>-fp32` and, once quantized, `-int8`; returns these folders.

    Each gets reader.onnx, logits.onnx, reader.json, evaluation.json and README.md, where `exported`
    has them also checker.onnx and, the first, weights.safetensors. The reader is measured on up to
    `images` of the test split of each of `tests`, with pictures in `<exported>/evaluations`, unless
    it is `measured`, as `measure` does it, the checker on up to 4,000; `commands`, one line each,
    made it. Raises UserError where there is no reader, they are of different weights, two tests
    have one name, or `exported` is one of these folders.
    """
    present = [name for name, files in FILES.items() if (exported / files[READER]).is_file()]
    names = [test.manifest.name for test in tests]
    if not present:
        raise UserError(f"{exported} has no {READER}; make it with trainer export")
    if not tests or len(set(names)) < len(names):
        raise UserError(f"readers are measured on test sets of different names, not {names}")
    facts_of = {name: read_json(exported / FILES[name][CARD], _FACTS) for name in present}
    if "fp32" in facts_of:
        refuse_quantized(facts_of["fp32"], exported)
    for name in present:
        if (out / f"{facts_of[name]['model']}-{name}").resolve() == exported.resolve():
            raise UserError(
                f"{exported} would be written into itself; name another folder than {out}"
            )
    if len({facts.get("weights_sha256") for facts in facts_of.values()}) > 1:
        raise UserError(f"the readers in {exported} are of different weights; quantize it again")
    readers = [exported / FILES[precision][READER] for precision in present]
    seconds = seconds_an_image(readers, tests[0])
    evaluations = measured or measure(
        dict(zip(present, readers, strict=True)), tests, images, exported
    )
    answers = {
        name: decide(exported / FILES[name][CHECKER], tests, min(images, _ASKED))
        for name in present
    }
    folders = []
    for precision, taken in zip(present, seconds, strict=True):
        facts = facts_of[precision]
        if answers[precision]:  # a checker that was added later has more to say
            said = read_card(exported / FILES[precision][CHECKER])
            facts = said | facts | {k: v for k, v in said.items() if k.startswith("check_")}
        folder = out / f"{facts['model']}-{precision}"
        folder.mkdir(parents=True, exist_ok=True)
        _copy(exported, folder, precision)
        figures = Figures(
            bytes=(folder / READER).stat().st_size,
            milliseconds=1e3 * taken,
            processor=processor(),
            tests=dict(zip(names, evaluations[precision], strict=True)),
            answers=answers[precision],
            sha256=hashlib.sha256((folder / READER).read_bytes()).hexdigest(),
            fingerprints={test.manifest.name: test.manifest.fingerprint for test in tests},
        )
        with replacing(folder / EVALUATION) as file:
            file.write(json.dumps(asdict(figures), indent=1).encode() + b"\n")
        text = card(folder.name, facts, figures, [test.manifest for test in tests], commands)
        with replacing(folder / README) as file:
            file.write(text.encode())
        folders.append(folder)
    return folders


def measure(
    readers: dict[str, Path], tests: list[DataSet], images: int, exported: Path
) -> dict[str, list[Evaluation]]:
    """Evaluate each reader, by its precision, on the test split of each set, all side by side."""
    with progress("images") as bar, ThreadPoolExecutor() as pool:
        total = len(readers) * sum(min(images, test.count("test")) for test in tests)
        task = bar.add_task("reading", total=total)

        def one(precision: str, test: DataSet) -> Evaluation:
            read, truth = read_quietly(
                by_onnx(readers[precision]), test, "test", images, lambda n: bar.advance(task, n)
            )
            result = evaluate(read, truth)
            pictures = exported / "evaluations" / f"{test.manifest.name}-{precision}"
            write_report(pictures, result, read, truth, test, "test")
            return result

        begun = {name: [pool.submit(one, name, test) for test in tests] for name in readers}
        return {name: [each.result() for each in results] for name, results in begun.items()}


def read_commands(path: Path) -> list[str]:
    """Return the lines of a text file; UserError where it is none."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: name one of commands, a line each") from error


def processor() -> str:
    """Return the processor's name, where Linux tells it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _copy(exported: Path, folder: Path, precision: str) -> None:
    for target, name in FILES[precision].items():
        if target not in _OPTIONAL or (exported / name).is_file():
            shutil.copyfile(exported / name, folder / target)
