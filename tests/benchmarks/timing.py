"""Timing: tasks run in turn, round after round, so that load falls on all of them alike."""

import statistics
import time
from collections.abc import Callable

Task = Callable[[int], int]


def median_rates(tasks: dict[str, Task], rounds: int) -> dict[str, float]:
    """The median rate of each task, in items per second of this process's CPU time.

    CPU time is what a stage costs a core, also where neighbours keep the cores busy; on a quiet
    machine it is that of the clock. Waiting, and other processes, count as nothing.

    Args:
        tasks: Each does its work for the round it is given (-1 to warm up, then 0, 1, ...) and
            returns how many items that was.
        rounds: How often each runs and is timed, after one run that is not.
    """
    for task in tasks.values():
        task(-1)
    rates: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds):
        for name, task in tasks.items():
            start = time.process_time()
            items = task(number)
            rates[name].append(items / (time.process_time() - start))
    return {name: statistics.median(each) for name, each in rates.items()}
