"""ONNX files in onnxruntime, on one CPU thread and within a bound of memory."""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shards.canvas import HEIGHT, WIDTH
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from trainer.allowed import read_model
from trainer.check_graph import ANSWER, ASK_AGAIN, RIGHT, WRONG

READING = 3 + 2 * MAX_DIGITS  # value, confidence, count, digits, their confidences
_CLASSES = 11
_ONE = 1.001  # a probability, as float32 adds it up
_MEMORY = 3 << 29  # bytes for what all graphs of a process compute; base on 256 images takes 0.5e9
_IMAGE = ("image", "tensor(float)", [1, HEIGHT, WIDTH])
_NAMES = {"logits": "logits.onnx", "reading": "reader.onnx", "answer": "checker.onnx"}
_FILES = {  # what each kind of file takes in and puts out, by its output
    "logits": [_IMAGE, ("logits", "tensor(float)", [_CLASSES])],
    "reading": [_IMAGE, ("reading", "tensor(float)", [READING])],
    "answer": [
        _IMAGE,
        ("expected", "tensor(float)", [MAX_DIGITS]),
        ("answer", "tensor(float)", [ANSWER]),
    ],
}


def open_session(
    path: Path, kinds: tuple[str, ...] = ("logits", "reading")
) -> onnxruntime.InferenceSession:
    """Open a file of one of the `kinds`: "logits", "reading" (a reader), "answer" (a checker).

    Raises UserError when it is none of them, or holds more than an export (see `allowed`).
    """
    model, _ = read_model(path)
    _bound_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        session = onnxruntime.InferenceSession(
            model, options, ["CPUExecutionProvider"], enable_fallback=0
        )
    except Exception as error:  # its classes of errors have no other public base
        raise UserError(f"{path} is no ONNX file that onnxruntime {_VERSION} opens") from error
    found = [(v.name, v.type, v.shape) for v in (*session.get_inputs(), *session.get_outputs())]
    tails = [(name, kind, shape[1 if name == "image" else -1 :]) for name, kind, shape in found]
    if tails not in [_FILES[kind] for kind in kinds]:
        maps = ", ".join(f"{name} {shape} of {kind}" for name, kind, shape in found)
        wanted = " or ".join(kinds)
        raise UserError(
            f"{path} maps {maps}, not image to {wanted}; name the {_NAMES[kinds[-1]]} beside it, "
            "or export it again"
        )
    return session


def is_reader(session: onnxruntime.InferenceSession) -> bool:
    """Whether the file decodes (image to reading) or ends in logits."""
    return bool(session.get_outputs()[0].name == "reading")


def to_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 (n, 32, 128) to what every file takes in: float32 (n, 1, 32, 128) in 0..1."""
    return np.divide(images[:, None], np.float32(255), dtype=np.float32)


def require_canvas(image: object) -> None:
    """Raise UserError for what is not uint8 (32, 128), as `shards.canvas.fit` makes it."""
    if not isinstance(image, np.ndarray):
        raise UserError(f"a {type(image).__name__} is no canvas: bring the drawing in by fit()")
    if (image.shape, image.dtype) != ((HEIGHT, WIDTH), np.uint8):
        raise UserError(
            f"an image of {image.dtype} {image.shape} is no canvas, which is uint8 "
            f"{(HEIGHT, WIDTH)}: bring the drawing in by fit()"
        )


def run(session: onnxruntime.InferenceSession, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 (n, 32, 128) to what the file puts out: (n, T, 11) logits or (n, 13) readings.

    A reader is run image by image, logits all at once. Raises UserError when the graph fails, runs
    out of the 1.5 GiB it may take, or puts out what is neither.
    """
    inputs = to_input(images)
    if not is_reader(session):
        logits = _run(session, image=inputs)
        if logits.ndim != 3 or len(logits) != len(images) or not np.isfinite(logits).all():
            raise UserError(f"the ONNX file puts out logits of shape {logits.shape}; {_AGAIN}")
        return logits
    readings = [_run(session, image=image[None]) for image in inputs]
    if any(reading.shape != (1, READING) or not _is_reading(reading[0]) for reading in readings):
        raise UserError(f"the ONNX file puts out what is no reading; {_AGAIN}")
    return np.concatenate([np.empty((0, READING), np.float32), *readings])


def ask(
    session: onnxruntime.InferenceSession, images: NDArray[np.uint8], expected: NDArray[np.int8]
) -> NDArray[np.float32]:
    """Ask a checker of images, uint8 (n, 32, 128), for answers, int8 (n, 5), -1 where absent.

    Returns float32 (n, 4): see `trainer.check_graph.with_check`. Raises UserError as `run` does.
    """
    answers = [
        _run(session, image=image[None], expected=digits[None])
        for image, digits in zip(to_input(images), expected.astype(np.float32), strict=True)
    ]
    if any(answer.shape != (1, ANSWER) or not _is_answer(answer[0]) for answer in answers):
        raise UserError(f"the ONNX file puts out what is no answer; {_AGAIN}")
    return np.concatenate([np.empty((0, ANSWER), np.float32), *answers])


def _run(
    session: onnxruntime.InferenceSession, **inputs: NDArray[np.float32]
) -> NDArray[np.float32]:
    try:
        found: NDArray[np.float32] = session.run(None, inputs)[0]
    except Exception as error:  # as above
        raise UserError(f"the graph of the ONNX file cannot be computed; {_AGAIN}") from error
    return found


def _is_reading(reading: NDArray[np.float32]) -> bool:
    value, confidence, count, *rest = reading.tolist()
    digits, shares = rest[:MAX_DIGITS], [confidence, *rest[MAX_DIGITS:]]
    return (
        all(number.is_integer() for number in (value, count, *digits))  # no NaN is
        and -1 <= value < 10**MAX_DIGITS
        and 0 <= count <= WIDTH
        and all(-1 <= digit <= 9 for digit in digits)
        and all(0 <= share <= _ONE for share in shares)
    )


def _is_answer(answer: NDArray[np.float32]) -> bool:
    verdict, probability, best, value = answer.tolist()
    return (
        verdict in (WRONG, ASK_AGAIN, RIGHT)
        and (probability == -1 or 0 <= probability <= 1)
        and 0 <= best <= 1
        and value in range(-1, 10**MAX_DIGITS)
    )


@cache
def _bound_memory() -> None:
    """Give all sessions of this process one allocator, with an end."""
    where = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    arena = onnxruntime.OrtArenaCfg({"max_mem": _MEMORY})
    onnxruntime.create_and_register_allocator(where, arena)


_VERSION = onnxruntime.__version__
_AGAIN = "export it again"
