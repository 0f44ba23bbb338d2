"""Training: one visible loop, from random weights or a checkpoint to best.safetensors."""

import math
import time
from itertools import islice
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
from trainer.focus import Focus
from trainer.log import RunLog, draw_curves, open_log
from trainer.meter import Meter
from trainer.predict import by_torch, chunks
from trainer.ranks import ALONE, Ranks
from trainer.skips import ANEW, Skips
from trainer.state import State
from trainer.trim import trimmed

_EPOCH_IMAGES = 120_000  # the most in an epoch, unless asked for
_LOG_EVERY = 50  # steps


def train(
    data: DataSet,
    folder: Path,
    state: State,
    save_seconds: float = 300,
    ranks: Ranks = ALONE,
    parts: int = 1,
    focus: Focus | None = None,
) -> None:
    """Train `state` to the end of its run; checkpoints, logs and curves go into `folder`.

    Each epoch ends with a validation of the averaged weights; in between `last.safetensors` is
    written every `save_seconds`, though not while steps are skipped. Of several ranks each trains
    on its part of every batch, and the first writes. `parts` is into how many a step divides its
    batch (see `update`); `focus` chooses what a step trains on.

    Raises UserError when `state` is at no step of its epoch, when ten steps in a row were skipped,
    since loss or gradient was not finite, when the averaged weights read nothing finite, and when
    the shards that a build beside should write do not come.
    """
    config = state.config
    precision = choose_precision(config.precision, state.device)
    state.network = ranks.network(state.model)
    order = _order(data, state)
    if state.step > order.steps:
        raise UserError(
            f"the checkpoint says that {state.step} steps of its epoch are done, which has "
            f"{order.steps}; it is damaged: use --init to begin a run from its weights"
        )
    total = config.epochs * order.steps
    gather = best_gather(data, "train", state.device, config.epochs * order.epoch_images)
    saved = time.monotonic()
    done = _share_done(state, total, ranks)
    with open_log(folder, state.updates, ranks.first) as log:
        while state.epoch < config.epochs and done < 1:
            indices = order.indices(state.epoch)
            data.prepare("train", indices)
            wait_until_ready(data, "train", int(indices.max()) + 1)
            meter, skips = Meter(order.batch, state.losses), Skips(data, indices, log)
            with progress("images") as bar:
                task = bar.add_task(f"epoch {state.epoch + 1}/{config.epochs}", total=indices.size)
                for seen in stream(gather, ranks.part(indices[state.step :]), state.device):
                    rate = config.rate_at(done)
                    batch = focus(seen) if focus else seen
                    meter.add(update(state, batch, rate, precision, ranks, parts))
                    done = _share_done(state, total, ranks)
                    if state.updates % _LOG_EVERY == 0:
                        skips.read(state, meter)
                        log.write(state.updates, loss=meter.recent(_LOG_EVERY), rate=rate)
                    bar.update(task, completed=state.step * order.batch)
                    if done >= 1:
                        break
                    due = ranks.first and time.monotonic() - saved > save_seconds
                    if due and state.step < order.steps:
                        skips.read(state, meter)
                        if not state.skipped:
                            state.save(folder / LAST, data.manifest)
                            saved = time.monotonic()
            skips.read(state, meter)
            _end_epoch(data, state, order, meter, log, ranks)
    state.network = state.model  # or the ranks could not part, see `Ranks.network`


def update(
    state: State,
    batch: Batch,
    rate: float,
    precision: torch.dtype,
    ranks: Ranks = ALONE,
    parts: int = 1,
) -> Tensor:
    """One step of the optimizer at learning rate `rate`; returns the loss, nats per number.

    The loss, a float32 scalar, stays on the device, and nothing here waits for the device. A step
    whose loss or gradient is not finite changes neither weights nor statistics and returns nan.
    Of several ranks each has its part of the batch; they return the same loss, that of it all.
    `parts` above 1 divides the batch by width (`trimmed`); the step is that of all of it, but
    for batch norms, which see a part at a time.
    """
    statistics = state.statistics.clone()
    state.optimizer.zero_grad()
    losses = []
    for part in trimmed(batch, parts):
        with autocast(state.device, precision):
            logits = state.network(to_input(part.images))
        share = len(part.digits) / len(batch.digits)
        loss = ctc_loss(logits, part.digits, part.weights) * share
        loss = ranks.weigh(loss, len(batch.digits) / state.config.batch)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
    loss = ranks.mean(torch.stack(losses).sum())
    length = nn.utils.clip_grad_norm_(state.model.parameters(), state.config.clip)
    lost = ~torch.isfinite(loss + length)
    torch.where(lost, statistics, state.statistics, out=state.statistics)
    state.optimizer.step(rate, lost)
    state.step += 1
    state.updates += 1
    state.update_average()
    return loss.masked_fill(lost, math.nan)


def validate(
    data: DataSet, state: State, precision: torch.dtype, ranks: Ranks = ALONE
) -> tuple[float, float]:
    """Loss (nats per number) and share of exact numbers of the averaged weights on val.

    Of several ranks each reads some of it; they return the same.
    """
    predict = by_torch(state.average, state.device, precision)
    count = min(state.config.val_images, data.count("val"))
    wait_until_ready(data, "val", count)
    loss, exact = 0.0, 0
    for chunk in islice(chunks(data, "val", count), ranks.rank, None, ranks.count):
        images, digits = data.gather("val", chunk)
        logits = predict(images)
        loss += ctc_loss(torch.from_numpy(logits), torch.from_numpy(digits)).item() * len(chunk)
        exact += int(greedy_decode(logits).equals(digits).sum())
    losses, right = ranks.totals(loss, exact)
    return losses / count, right / count


def _share_done(state: State, steps: int, ranks: Ranks) -> float:
    """How much of the run lies behind; of several ranks the first one's clock decides."""
    done = state.share_done(steps)
    return ranks.same(done) if state.config.max_minutes else done


def _order(data: DataSet, state: State) -> Order:
    count, config = data.count("train"), state.config
    images = config.epoch_images or min(count, _EPOCH_IMAGES)
    return Order(count, images, config.batch * config.candidates, config.seed)


def _end_epoch(
    data: DataSet, state: State, order: Order, meter: Meter, log: RunLog, ranks: Ranks
) -> None:
    speed, loss = meter.speed(), meter.mean()
    precision = choose_precision(state.config.precision, state.device)
    val_loss, state.accuracy = validate(data, state, precision, ranks)
    if not math.isfinite(val_loss):
        raise UserError(
            f"the loss on val is {val_loss} after step {state.updates}, the weights are spoiled; "
            f"{ANEW}"
        )
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
        state.epoch, state.step, state.losses = state.epoch + 1, 0, []
    is_best = state.accuracy >= state.best
    state.best = max(state.best, state.accuracy)
    if not ranks.first:
        return
    # The best first: a run that is killed in between does this epoch's end again.
    for name in (BEST, LAST) if is_best else (LAST,):
        state.save(log.folder / name, data.manifest)
    draw_curves(log.folder)
