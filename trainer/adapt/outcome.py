"""What an adaptation did, for people and programs: someone's digits and everyone else's numbers."""

import json
from dataclasses import asdict, dataclass

from trainer.metrics import Evaluation


@dataclass(frozen=True)
class Comparison:
    """One test before and after; `standard` is what must not get worse: everyone else's numbers."""

    standard: bool
    before: Evaluation
    after: dict[str, Evaluation]  # by precision, fp32 and int8

    @property
    def drop(self) -> float:
        """How much less of the numbers is read exactly right, by the worse of the two readers."""
        worse = min(result.exact.share for result in self.after.values())
        return round(self.before.exact.share - worse, 9)


@dataclass(frozen=True)
class Outcome:
    """An adaptation.

    learned, held_out: how many pictures. share: of the change of weights that was kept, 0..1.
    max_drop: the limit. tests: by name, the held-out ones first. readers: their folders.
    """

    start: str
    writers: tuple[str, ...]
    learned: int
    held_out: int
    share: float
    seconds: float
    max_drop: float
    tests: dict[str, Comparison]
    readers: tuple[str, ...] = ()

    @property
    def worst(self) -> str:
        """The standard test that lost most."""
        standard = {name: test for name, test in self.tests.items() if test.standard}
        return max(standard, key=lambda name: standard[name].drop)

    @property
    def refused(self) -> bool:
        """Whether everyone else's numbers are read worse by more than the limit."""
        return not self.tests[self.worst].drop <= self.max_drop  # nor for a limit that is NaN

    @property
    def better(self) -> bool:
        """Whether someone's held-out digits are read better by both readers, in every way asked."""
        return all(test.drop < 0 for test in self.tests.values() if not test.standard)


def as_text(outcome: Outcome) -> str:
    """Return the table of tests, and in plain words what became better and what worse."""
    writers = f"{len(outcome.writers)} writer{'s' if len(outcome.writers) > 1 else ''}"
    lines = [
        f"{outcome.learned:,} pictures learned from, {outcome.held_out:,} held out, by {writers}; "
        f"{outcome.seconds / 60:.1f} minutes from {outcome.start}",
        "",
        f"{'exact':<24}{'n':>8}  {'before':<26}{'after, fp32':<26}after, int8".rstrip(),
    ]
    for name, test in outcome.tests.items():
        rates = [test.before.exact, *(result.exact for result in test.after.values())]
        cells = "".join(f"{rate!s:<26}" for rate in rates)
        lines.append(f"{name:<24}{rates[0].count:>8,}  {cells}".rstrip())
    return "\n".join([*lines, "", *_verdict(outcome)])


def as_json(outcome: Outcome) -> str:
    """Return all figures, and the verdict."""
    content = asdict(outcome)
    for name, test in outcome.tests.items():
        content["tests"][name]["drop"] = test.drop
    for name in ("worst", "refused", "better"):
        content[name] = getattr(outcome, name)
    return json.dumps(content, indent=1) + "\n"


def _verdict(outcome: Outcome) -> list[str]:
    worst = outcome.tests[outcome.worst]
    lost = f"{outcome.worst} loses most, {worst.drop:.4f}" if worst.drop > 0 else "nothing is lost"
    lines = [
        f"everyone else: {lost}, where {outcome.max_drop:g} is the limit",
        f"kept: {outcome.share:.0%} of what the training changed",
    ]
    if not outcome.better:
        lines.append("WARNING: the held-out digits are not read better: take the reader as it was")
    if outcome.refused:
        lines.append(
            f"REFUSED: {outcome.worst} is read worse by more than the limit, no reader is made; "
            "mix in numbers by the hands it forgets by --others, or allow more by --max-drop"
        )
    return lines
