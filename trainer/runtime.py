"""ONNX files in onnxruntime, on one CPU thread."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shards.errors import UserError
from shards.labels import MAX_DIGITS
from trainer.allowed import read_model

READING = 3 + 2 * MAX_DIGITS  # value, confidence, count, digits, their confidences


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open a logits or reader file; UserError when it is neither or holds more (see `allowed`)."""
    if not path.is_file():
        raise UserError(f"{path} does not exist; make it with trainer export")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = read_model(path)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes of errors have no other public base
        raise UserError(f"{path} is no ONNX file that onnxruntime {_VERSION} opens") from error
    names = [value.name for value in (*session.get_inputs(), *session.get_outputs())]
    if names not in (["image", "logits"], ["image", "reading"]):
        raise UserError(f"{path} maps {names}, not image to logits or reading; export it again")
    return session


def is_reader(session: onnxruntime.InferenceSession) -> bool:
    """Whether the file decodes (image to reading) or ends in logits."""
    return bool(session.get_outputs()[0].name == "reading")


def to_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 (n, 32, 128) to what every file takes in: float32 (n, 1, 32, 128) in 0..1."""
    return np.divide(images[:, None], np.float32(255), dtype=np.float32)


def run(session: onnxruntime.InferenceSession, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 (n, 32, 128) to what the file puts out: (n, T, 11) logits or (n, 13) readings.

    A reader is run image by image, logits all at once.
    """
    inputs = to_input(images)
    if not is_reader(session):
        logits: NDArray[np.float32] = session.run(None, {"image": inputs})[0]
        return logits
    readings = [session.run(None, {"image": image[None]})[0] for image in inputs]
    return np.concatenate([np.empty((0, READING), np.float32), *readings])


_VERSION = onnxruntime.__version__
