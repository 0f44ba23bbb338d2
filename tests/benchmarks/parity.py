"""Does reader.onnx keep its contract, and decode as Python does?

python -m tests.benchmarks.parity trainer/pretrained/nano-int8 data/child --images 10000
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import onnx
import onnxruntime
import typer

from shards.reader import DataSet
from shards.terminal import progress, run
from trainer.ctc import greedy_decode
from trainer.graph import opsets
from trainer.predict import chunks
from trainer.runtime import to_input

app = typer.Typer(pretty_exceptions_enable=False)


def contract(model: onnx.ModelProto) -> list[str]:
    """What a graph takes in, puts out and is made of, in lines."""
    values = (*model.graph.input, *model.graph.output)
    shown = [f"{value.name} {shape_of(value)}" for value in values]
    counts: dict[str, int] = {}
    for node in model.graph.node:
        name = f"{node.domain}.{node.op_type}".removeprefix(".").removeprefix("ai.onnx.")
        counts[name] = counts.get(name, 0) + 1
    operators = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return [
        f"tensors    {'; '.join(shown)}",
        f"opsets     {opsets(model)}",
        f"operators  {operators}",
    ]


def shape_of(value: onnx.ValueInfoProto) -> str:
    """Type and shape, like float32 [1, 13]."""
    tensor = value.type.tensor_type
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return f"{kind} [{', '.join(str(dim.dim_value or dim.dim_param) for dim in tensor.shape.dim)}]"


def with_its_logits(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same reader, which puts out the logits that it decodes, too."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    decoder = next(node for node in copy.graph.node if node.op_type == "ArgMax")
    copy.graph.output.append(onnx.ValueInfoProto(name=decoder.input[0]))
    return copy


def differing(model: onnx.ModelProto, data: DataSet, images: int) -> tuple[int, int, float]:
    """How many images were read, how many otherwise than by Python, and the confidences' distance.

    Compared are value, count and digits, exactly, and all confidences.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reader.onnx"
        path.write_bytes(with_its_logits(model).SerializeToString())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
    count, others, apart = 0, 0, 0.0
    with progress("images") as bar:
        task = bar.add_task("reading", total=min(images, data.count("test")))
        for chunk in chunks(data, "test", images):
            for image in to_input(data.gather("test", chunk)[0]):
                reading, logits = session.run(None, {"image": image[None]})
                exact, confidences = by_python(logits)
                others += int(not np.array_equal(reading[0, [0, 2, 3, 4, 5, 6, 7]], exact))
                apart = max(
                    apart, float(np.abs(reading[0, [1, 8, 9, 10, 11, 12]] - confidences).max())
                )
                count += 1
            bar.advance(task, len(chunk))
    return count, others, apart


def by_python(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value, count and digits, float (7,), and confidences, float (6,), of logits (1, T, 11)."""
    read = greedy_decode(logits)
    count = int(read.count[0])
    text = "".join(str(digit) for digit in read.digits[0, :count])
    value = int(text) if 1 <= count <= 5 else -1
    return np.array([value, count, *read.digits[0]]), np.append(
        read.confidence, read.digit_confidences
    )


@app.command()
def bench(
    folder: Annotated[Path, typer.Argument(help="Holds reader.onnx and, maybe, checker.onnx.")],
    data: Annotated[list[Path], typer.Argument(help="Data sets, whose test splits are read.")],
    images: Annotated[int, typer.Option(min=1, help="At most this many of each.")] = 10_000,
) -> None:
    """Print what the files take and give, and of how many images reader and Python differ."""
    for name in ("reader.onnx", "checker.onnx"):
        if (folder / name).is_file():
            size = (folder / name).stat().st_size
            typer.echo("\n".join([f"{name}, {size:,} bytes", *contract(onnx.load(folder / name))]))
    failed = False
    for path in data:
        count, others, apart = differing(onnx.load(folder / "reader.onnx"), DataSet(path), images)
        typer.echo(
            f"{path.name}: {count - others:,} of {count:,} equal in value, count and digits; "
            f"confidences differ by {apart:.1g} at most"
        )
        failed |= others > 0
    raise typer.Exit(int(failed))


if __name__ == "__main__":
    run(app)()
