"""What the device can do at most, and what a training step asks of it."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from shards.canvas import HEIGHT, WIDTH
from shards.reader import DataSet
from tests.benchmarks.gpu.clock import seconds_of
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.table import Row
from trainer.models import build_seeded

DATA_SHEETS = {"H200": 989.0, "H100": 989.0, "A100": 312.0}  # dense bf16, TFLOP/s


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """Rows of the peaks of arithmetic and memory."""
    name = device_name(device)
    sheet = next((peak for chip, peak in DATA_SHEETS.items() if chip in name), None)
    stage = f"bf16 product of two matrices of side {scale.side:,}"
    peer = f"data sheet, {name}" if sheet else ""
    report.add(Row(stage, "TFLOP/s", matrix_peak(scale.side, device), sheet, peer, "10"))
    report.add(Row("copy on the device", "TB/s", _copies(scale.side, device), None, "", "10"))


def device_name(device: torch.device) -> str:
    """What the device calls itself."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def matrix_peak(side: int, device: torch.device) -> float:
    """TFLOP/s of bf16 products of square random matrices."""
    left, right = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    return 2 * side**3 / seconds_of(lambda: left @ right, device) / 1e12


def step_flops(model: str) -> float:
    """Operations of a training step for an image: products and sums, forwards and backwards."""
    network = build_seeded(model, 0).to("meta")
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(2, 1, HEIGHT, WIDTH, device="meta")).sum().backward()
    return float(counter.get_total_flops()) / 2


def _copies(side: int, device: torch.device) -> float:
    """TB/s, read and written, of a copy of 32 bytes times the square of `side`."""
    source = torch.randn(8, side, side, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds_of(lambda: target.copy_(source), device) / 1e12
