"""The command `trainer train`."""

from pathlib import Path
from typing import Annotated

import typer

from shards.errors import UserError
from shards.remote.place import redacted
from trainer.options import Data, Device


def train(
    data: Data,
    model: Annotated[str, typer.Option(help="base, optimized, lightweight or nano.")] = "nano",
    run: Annotated[
        Path | None, typer.Option(help="Run folder; else runs/MODEL-NAME OF THE DATA SET.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over a block of fresh images.")] = 10,
    epoch_images: Annotated[
        int,
        typer.Option(
            min=0, max=100_000_000, help="Images in an epoch; 0: all of train, at most 120,000."
        ),
    ] = 0,
    max_minutes: Annotated[
        float,
        typer.Option(help="End by then, if the epochs do not; the rate falls in time. 0: no end."),
    ] = 0.0,
    batch: Annotated[int, typer.Option(help="Images in a step.")] = 256,
    rate: Annotated[
        float, typer.Option(help="Highest learning rate; 0: 0.003 for nano, 0.001 for the others.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Decides first weights and order.")] = 0,
    device: Device = "auto",
    optimizer: Annotated[
        str, typer.Option(help="Of the weight matrices: muon, or adamw as for all else.")
    ] = "muon",
    precision: Annotated[
        str, typer.Option(help="bf16, float32 or auto (bf16 where the device computes in it).")
    ] = "auto",
    threads: Annotated[
        int, typer.Option(min=0, max=1024, help="CPU threads; 0: one per core.")
    ] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run, under the options it began with.")
    ] = False,
    init: Annotated[
        Path | None,
        typer.Option(help="Start from the weights of this run, checkpoint or shipped reader."),
    ] = None,
    judge: Annotated[
        Path | None,
        typer.Option(
            help="A trained reader, as for --init, of which a step trains on what it finds hard."
        ),
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(
            min=2, max=64, help="With --judge: images it looks at for each trained on; else 4."
        ),
    ] = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="By torch.compile; the first step takes a minute.")
    ] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Train without shards that are missing.")
    ] = False,
    save_seconds: Annotated[
        float, typer.Option(min=0, help="Between two checkpoints within an epoch.")
    ] = 300,
) -> None:
    """Train a reader on the train split, measured on val after each epoch.

    The run folder gets best.safetensors and last.safetensors (each with a JSON beside it),
    log.jsonl, curves.png and TensorBoard events: look at them with `tensorboard --logdir runs`. A
    step whose loss is not finite is skipped, and skipped.jsonl names its samples.

    Epoch e trains on block e of the split, so that a set of many epochs is all fresh images; a
    set that is still being built can be trained on, too. The same options give the same weights
    on a CPU, interrupted or not, unless --max-minutes lets the clock decide; on CUDA the last bits
    differ from run to run, since cuDNN and pooling add up gradients in any order.

    With a --judge each step draws its batch from more images, the more likely the harder the judge
    finds them, and weighs them so that nothing is learned askew: most numbers teach a large network
    next to nothing, and nano looks at four in a fifth of the time that optimized takes to learn
    from one.
    The images of --epoch-images, of progress and of speed are then those that were looked at.

    On several devices: torchrun --nproc-per-node N --no-python -- trainer train DATA. Each rank
    takes its share of every batch, so that their number does not change the weights but for
    rounding, and --resume may go on with another number.

    Before the first step the shards of train and val must have the sizes and SHA-256 that the
    manifest says, and labels that their images have room for; shards verify looks deeper and names
    the samples. From a URL the shards of an epoch are fetched, hash-checked, and those of the next
    meanwhile, into the folder DIGIT_READERS_CACHE [~/.cache/digit-readers/shards], which stays
    under DIGIT_READERS_CACHE_GB [20].
    """
    from trainer.checkpoint import find_weights, weights_sha256
    from trainer.config import Config
    from trainer.start import start

    if candidates and not judge:
        raise UserError("--candidates is for a --judge to choose from; name one, or leave it out")
    config = Config(
        model=model,
        epochs=epochs,
        epoch_images=epoch_images,
        batch=batch,
        rate=rate,
        max_minutes=max_minutes,
        seed=seed,
        precision=precision,
        optimizer=optimizer,
        candidates=(candidates or 4) if judge else 1,
        judge=weights_sha256(find_weights(judge)) if judge else "",
        init=weights_sha256(find_weights(init)) if init else "",
    )
    try:
        folder = start(
            data,
            config,
            run,
            device_name=device,
            threads=threads,
            resume=resume,
            init=init,
            compiled=compiled,
            allow_partial=allow_partial,
            save_seconds=save_seconds,
            judge=judge,
        )
    except KeyboardInterrupt as stop:
        typer.echo("; ".join(["stopped", *getattr(stop, "__notes__", [])]), err=True)
        raise typer.Exit(130) from None
    typer.echo(f"trained: {folder}; next: trainer export {folder} OUT --data {redacted(data)}")
