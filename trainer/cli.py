"""The command `trainer`: train a reader on shards, measure it, shrink it, use it."""

from pathlib import Path
from typing import Annotated

import typer

from shards import terminal

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train number readers on shards, measure them, and make ONNX files of them.",
)

Data = Annotated[Path, typer.Argument(help="Folder of the data set (manifest.json or plan.json).")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto (CUDA where there is one).")]


@app.callback()
def trainer() -> None:
    """Train number readers on shards, measure them, and make ONNX files of them."""


@app.command()
def train(
    data: Data,
    model: Annotated[str, typer.Option(help="base, optimized, lightweight or nano.")] = "nano",
    run: Annotated[
        Path | None, typer.Option(help="Run folder [default: runs/MODEL-NAME OF THE DATA SET].")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over a block of fresh images.")] = 10,
    epoch_images: Annotated[
        int, typer.Option(help="Images in an epoch; 0: all of train, at most 120,000.")
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
    precision: Annotated[
        str, typer.Option(help="bf16, float32 or auto (bf16 where the device computes in it).")
    ] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: one per core.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run, under the options it began with.")
    ] = False,
    init: Annotated[
        Path | None, typer.Option(help="Start from the weights of this run or checkpoint.")
    ] = None,
) -> None:
    """Train a reader on the train split, measured on val after each epoch.

    The run folder gets best.safetensors and last.safetensors (each with a JSON beside it),
    log.jsonl, curves.png and TensorBoard events: look at them with `tensorboard --logdir runs`.

    Epoch e trains on block e of the split, so that a set of many epochs is all fresh images; a
    set that is still being built can be trained on, too. The same options give the same weights
    on a CPU, interrupted or not, unless --max-minutes lets the clock decide.
    """
    from trainer.config import Config
    from trainer.start import start

    config = Config(
        model=model,
        epochs=epochs,
        epoch_images=epoch_images,
        batch=batch,
        rate=rate,
        max_minutes=max_minutes,
        seed=seed,
        precision=precision,
    )
    folder = start(data, config, run, device, threads, resume, init)
    typer.echo(f"trained: {folder}; next: trainer export {folder} OUT_DIR {data}")


main = terminal.run(app)
