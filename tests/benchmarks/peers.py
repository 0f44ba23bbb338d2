"""What one would use instead: libraries that may be absent, and rows that compare with them.

Peers come with the extra `bench`. It wants an environment of its own: mosaicml-streaming holds
numpy under 2.2 and xxhash under 4, so that constraints.txt does not apply (but for torch).
"""

from importlib import import_module
from types import ModuleType

from tests.benchmarks.table import Row
from tests.benchmarks.timing import Task, median_rates

Peers = dict[str, Task | None]  # by what they are; None where one is absent


def find(name: str) -> ModuleType | None:
    """A library, or None where it is not installed or does not run here."""
    try:
        return import_module(name)
    except (ImportError, RuntimeError, OSError):
        # RuntimeError: torchvision's wheel beside a build of torch that it was not made for.
        return None


def compare(stage: str, ours: Task, peers: Peers, rounds: int, n: str, goal: str) -> list[Row]:
    """A row for each peer, all run in turn; one that is None is absent and has no value."""
    present = {name: task for name, task in peers.items() if task is not None}
    rates = median_rates({"ours": ours} | present, rounds)
    rows = []
    for name in peers:
        peer = name if name in present else f"{name}: not here, see the extra `bench`"
        rows.append(Row(stage, "images/s a core", rates["ours"], rates.get(name), peer, n, goal))
    return rows
