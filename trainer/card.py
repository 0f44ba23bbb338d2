"""The card of a reader: the README.md beside its files, written from what is known of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import onnxruntime

from shards import __version__
from shards.card import recipe, sources
from shards.manifest import Manifest
from trainer.answers import Decisions
from trainer.check_graph import LEGIBLE
from trainer.metrics import Evaluation


@dataclass(frozen=True)
class Figures:
    """What was measured: size of reader.onnx, median time of one image on one thread, and tests.

    `answers` is what the checker, if there is one, decided of each test set; `sha256` is of
    reader.onnx, `fingerprints` are of the test sets, so that the figures can be told from others'.
    """

    bytes: int
    milliseconds: float
    processor: str
    tests: dict[str, Evaluation]
    answers: dict[str, dict[str, Decisions]] = field(default_factory=dict)
    sha256: str = ""
    fingerprints: dict[str, str] = field(default_factory=dict)


def card(
    name: str,
    facts: dict[str, str],
    figures: Figures,
    tested: list[Manifest],
    commands: list[str],
) -> str:
    """Return the card as Markdown.

    `facts` is reader.json, `tested` are the sets of `figures.tests`; the digits and the recipe are
    told where the training set is among them. `commands` made the reader, one line each.
    """
    parts = [
        _introduction(name, facts, figures),
        _figures(figures),
        *([_answers(facts, figures)] if figures.answers else []),
        _tests(tested),
        _training(facts, tested),
        _commands(commands or [facts["trained"]]),
    ]
    return "\n".join(parts)


def _introduction(name: str, facts: dict[str, str], figures: Figures) -> str:
    weights = facts.get("quantization", "float32")
    return f"""# {name}

A reader of handwritten numbers, 0 to 99999, made by digit-readers {__version__}.

| network | parameters | weights | reader.onnx | one number, one thread |
| --- | ---: | --- | ---: | --- |
| {facts["model"]} | {int(facts["parameters"]):,} | {weights} | {figures.bytes:,} bytes \
| {figures.milliseconds:.2f} ms, {figures.processor}, onnxruntime {onnxruntime.__version__} |

- `reader.onnx` takes `image`, float32 [1, 1, 32, 128], {facts["range"]}, {facts["polarity"]}, and
  gives `reading`, float32 [1, 13]: {facts["reading"]}.
  Confidence is the chance that the whole number is right, 0 where there is none.
- `logits.onnx` takes any batch and ends in CTC logits: class 0 the blank, class d + 1 the digit d.
- `reader.json` has these facts, `evaluation.json` all figures.

A drawing becomes an image in one way: {facts["fit"]}.
"""


def _figures(figures: Figures) -> str:
    exact, sure = [], []
    for test, result in figures.tests.items():
        counted = {"1 to 5": result.exact} | {str(n): r for n, r in result.by_length.items()}
        exact += [[test, digits, f"{r.count:,}", str(r)] for digits, r in counted.items()]
        found = result.calibration
        kept = [f"{found.covered.count:,}", str(found.covered), f"{found.threshold:.3f}"]
        sure.append([test, f"{result.exact.count:,}", f"{found.error:.4f}", *kept])
    return f"""## Figures

Numbers read exactly right, with 95 % intervals (Wilson):

{_table(["test set", "digits", "n", "exact"], exact)}
Confidence: expected calibration error (arXiv 1706.04599; 15 bins of equal mass), and what is exact
of the surest 95 %, who all have at least the confidence in the last column:

{_table(["test set", "n", "calibration error", "surest", "exact", "confidence from"], sure)}"""


def _answers(facts: dict[str, str], figures: Figures) -> str:
    rows = [
        [test, kind, f"{found.right.count:,}"]
        + [str(part) for part in (found.right, found.ask_again, found.wrong)]
        for test, kinds in figures.answers.items()
        for kind, found in kinds.items()
    ]
    return f"""## Answers

`checker.onnx` takes `image` and `expected`, float32 [1, 5], the digits of the answer from the left,
-1 where absent, and gives `answer`, float32 [1, 4]: verdict (1 right, 0 ask again, -1 wrong), the
probability that exactly this answer is drawn, that of what is read, and its value. It calls an
answer right from a probability of {facts["check_right_from"]} on, and wrong up to \
{facts["check_wrong_to"]} where what is read
has more than {LEGIBLE}. Each number was asked about with its own answer, and with one of each kind
that children mix up:

{_table(["test set", "expected answer", "n", "right", "ask again", "wrong"], rows)}
Other thresholds: `trainer answers checker.onnx DATA`.
"""


def _tests(tested: list[Manifest]) -> str:
    rows = [
        [
            f"{manifest.name} {manifest.version}",
            str(manifest.recipe.get("name", "-")),
            ", ".join(f"{source['name']} ({source['licence']})" for source in manifest.sources),
            f"`{manifest.fingerprint[:16]}`",
        ]
        for manifest in tested
    ]
    return f"""The sets whose test splits these are:

{_table(["test set", "recipe", "digits", "fingerprint"], rows)}"""


def _training(facts: dict[str, str], tested: list[Manifest]) -> str:
    own = [manifest for manifest in tested if manifest.fingerprint == facts["fingerprint"]]
    told = "\n".join([sources(own[0]), recipe(own[0])]) if own else ""
    splits = "".join(
        f", {count:,} {split}" for manifest in own[:1] for split, count in manifest.splits.items()
    )
    return f"""## Training

Trained on {facts["data"]}{splits}, fingerprint `{facts["fingerprint"]}`; digits: {facts["digits"]}.
Its logits are divided by {facts["temperature"]}, fitted on the val split.

{told}"""


def _commands(commands: list[str]) -> str:
    return "\n".join(["## Commands", "", "```sh", *commands, "```", ""])


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
