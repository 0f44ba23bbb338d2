"""Training: one visible loop, from random weights or a checkpoint to best.safetensors."""

import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from shards.errors import UserError
from shards.reader import DataSet
from shards.terminal import progress
from trainer.checkpoint import BEST, LAST
from trainer.ctc import ctc_loss, greedy_decode
from trainer.data import Batch, Order, best_gather, stream, to_input, wait_until_ready
from trainer.device import autocast, choose_precision
from trainer.log import RunLog, draw_curves
from trainer.meter import Meter
from trainer.predict import by_torch, chunks
from trainer.state import State

_EPOCH_IMAGES = 120_000  # the most in an epoch, unless asked for
_LOG_EVERY = 50  # steps
_MAX_SKIPPED = 10  # steps in a row without a finite loss or gradient


def train(data: DataSet, folder: Path, state: State, save_seconds: float = 300) -> None:
    """Train `state` to the end of its run; checkpoints, logs and curves go into `folder`.

    Each epoch ends with a validation of the averaged weights; in between `last.safetensors` is
    written every `save_seconds`. Raises UserError when ten steps in a row were skipped, since loss
    or gradient was not finite, and when the shards that a build beside should write do not come.
    """
    config = state.config
    precision = choose_precision(config.precision, state.device)
    order = _order(data, state)
    total = config.epochs * order.steps
    gather = best_gather(data, "train", state.device, config.epochs * order.epoch_images)
    saved = time.monotonic()
    with RunLog(folder) as log:
        while state.epoch < config.epochs and state.share_done(total) < 1:
            indices = order.indices(state.epoch)
            wait_until_ready(data, "train", int(indices.max()) + 1)
            meter = Meter(order.batch)
            with progress("images") as bar:
                task = bar.add_task(f"epoch {state.epoch + 1}/{config.epochs}", total=indices.size)
                for batch in stream(gather, indices[state.step :], state.device):
                    rate = config.rate_at(state.share_done(total))
                    meter.add(update(state, batch, rate, precision))
                    if state.updates % _LOG_EVERY == 0:
                        notice(state, meter.read())
                        log.write(state.updates, loss=meter.recent(_LOG_EVERY), rate=rate)
                    bar.update(task, completed=state.step * order.batch)
                    if time.monotonic() - saved > save_seconds:
                        notice(state, meter.read())
                        state.save(folder / LAST, data.manifest)
                        saved = time.monotonic()
                    if state.share_done(total) >= 1:
                        break
            _end_epoch(data, folder, state, order, meter, log)


def update(state: State, batch: Batch, rate: float, precision: torch.dtype) -> Tensor:
    """One step of the optimizer at learning rate `rate`; returns the loss, nats per number.

    The loss, a float32 scalar, stays on the device, and nothing here waits for the device. A step
    whose loss or gradient is not finite changes neither weights nor statistics and returns nan.
    """
    statistics = state.statistics.clone()
    with autocast(state.device, precision):
        logits = state.model(to_input(batch.images))
    loss = ctc_loss(logits, batch.digits)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    loss = loss.detach()
    length = nn.utils.clip_grad_norm_(state.model.parameters(), state.config.clip)
    lost = ~torch.isfinite(loss + length)
    torch.where(lost, statistics, state.statistics, out=state.statistics)
    state.optimizer.found_inf = lost.float()  # type: ignore[attr-defined]  # as GradScaler says it
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.step()
    state.step += 1
    state.updates += 1
    state.update_average()
    return loss.masked_fill(lost, math.nan)


def notice(state: State, losses: list[float]) -> None:
    """Count the skipped steps among `losses`; UserError at the tenth in a row."""
    for loss in losses:
        state.skipped = 0 if math.isfinite(loss) else state.skipped + 1
        if state.skipped == _MAX_SKIPPED:
            raise UserError(
                f"the loss or its gradient has not been finite for {_MAX_SKIPPED} steps in a row "
                f"before step {state.updates}; use --resume with the last checkpoint or a lower "
                "--rate"
            )


def validate(data: DataSet, state: State, precision: torch.dtype) -> tuple[float, float]:
    """Loss (nats per number) and share of exact numbers of the averaged weights on val."""
    predict = by_torch(state.average, state.device, precision)
    count = min(state.config.val_images, data.count("val"))
    wait_until_ready(data, "val", count)
    loss, exact = 0.0, 0
    for chunk in chunks(data, "val", count):
        images, digits = data.gather("val", chunk)
        logits = predict(images)
        loss += ctc_loss(torch.from_numpy(logits), torch.from_numpy(digits)).item() * len(chunk)
        exact += int(greedy_decode(logits).equals(digits).sum())
    return loss / count, exact / count


def _order(data: DataSet, state: State) -> Order:
    count, config = data.count("train"), state.config
    images = config.epoch_images or min(count, _EPOCH_IMAGES)
    return Order(count, images, config.batch, config.seed)


def _end_epoch(
    data: DataSet, folder: Path, state: State, order: Order, meter: Meter, log: RunLog
) -> None:
    notice(state, meter.read())
    speed, loss = meter.speed(), meter.mean()
    precision = choose_precision(state.config.precision, state.device)
    val_loss, state.accuracy = validate(data, state, precision)
    print(
        f"epoch {state.epoch + 1}/{state.config.epochs}  step {state.step}/{order.steps}  "
        f"loss {loss:.4f}  val loss {val_loss:.4f}  val accuracy {state.accuracy:.4f}  "
        f"{speed:,.0f} images/s  {state.seconds / 60:.1f} min",
        flush=True,
    )
    log.write(
        state.updates,
        epoch_loss=loss,
        val_loss=val_loss,
        accuracy=state.accuracy,
        images_per_second=speed,
        seconds=state.seconds,
    )
    if state.step == order.steps:
        state.epoch, state.step = state.epoch + 1, 0
    is_best = state.accuracy >= state.best
    state.best = max(state.best, state.accuracy)
    for name in (LAST, BEST) if is_best else (LAST,):
        state.save(folder / name, data.manifest)
    draw_curves(folder)
