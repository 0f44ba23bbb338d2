"""Time on a device that works behind the host's back: waited for before the clock is read."""

import time
from collections.abc import Callable

import torch

Work = Callable[[], object]


def rate(step: Work, images: int, seconds: float, device: torch.device) -> float:
    """Images per second, over about so many seconds of steps of so many images."""
    steps, began = 0, now(device)
    while not steps or time.perf_counter() - began < seconds:
        step()
        steps += 1
    return steps * images / (now(device) - began)


def seconds_of(work: Work, device: torch.device, calls: int = 10) -> float:
    """Seconds of one call, the mean of several after a warm-up."""
    for _ in range(3):
        work()
    began = now(device)
    for _ in range(calls):
        work()
    return (now(device) - began) / calls


def now(device: torch.device) -> float:
    """The clock's seconds, when the device has done all that it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
