"""The reference's schedule: 120,000 images presented 75 times, to a trained reader."""

import time

import torch

from shards.reader import DataSet
from tests.benchmarks.gpu.report import Report
from tests.benchmarks.gpu.scale import Scale
from tests.benchmarks.table import Row
from trainer.checkpoint import BEST
from trainer.config import Config
from trainer.device import prepare
from trainer.metrics import evaluate
from trainer.predict import open_reader, read_split
from trainer.state import State
from trainer.train import train

MODEL = "optimized"
REFERENCE_SECONDS = 75 * 23.0  # on a V100, as the reference reports
RATE_OF_256 = 1e-3  # images in a batch


def measure(report: Report, data: DataSet, scale: Scale, device: torch.device) -> None:
    """Rows of the time, validations and checkpoints included, and of what was learnt."""
    batch = scale.usual_batch(MODEL)
    config = Config(
        MODEL,
        epochs=scale.epochs,
        epoch_images=scale.scheduled // scale.epochs,
        batch=batch,
        # By the square root of the batch, for Adam (Malladi et al. 2022, arXiv 2205.10287).
        rate=RATE_OF_256 * (batch / 256) ** 0.5,
        max_minutes=scale.scheduled_minutes,
    )
    prepare(device)
    state = State(config, device)
    folder = report.path.parent / "schedule"
    folder.mkdir()
    began = time.perf_counter()
    train(data, folder, state)
    seconds = time.perf_counter() - began
    presented = state.updates * batch
    stage = f"{MODEL}, batch {batch}, {presented:,} of {scale.scheduled:,} images, start to end"
    peer = "the reference on a V100, as it reports, for all"
    report.add(Row(stage, "s", seconds, REFERENCE_SECONDS, peer, "1 run", "120 s"))
    read = open_reader(folder / BEST, device)
    for split in ("val", "test"):
        exact = evaluate(*read_split(read, data, split, scale.held_out)).exact
        n = f"{exact.count:,}, 95 %: {exact.low:.4f} to {exact.high:.4f}"
        stage = f"{MODEL} after that, numbers read exactly, {split}: hands not trained on"
        report.add(Row(stage, "of 1", exact.share, None, "", n))
