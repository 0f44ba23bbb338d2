"""The reader that a user calls: any drawing in, a number and its confidence out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from shards.canvas import fit
from shards.errors import UserError
from shards.labels import MAX_DIGITS
from trainer.files import READER
from trainer.runtime import is_reader, open_session, require_canvas, run
from trainer.shipped import FOLDER, find_file

DEFAULT = FOLDER / "nano-int8" / READER


@dataclass(frozen=True)
class Reading:
    """One number.

    `text` keeps leading zeros. `count` is how many digits were seen; unless they are 1 to 5, `text`
    is empty, `value` -1, `confidence` 0, and `fault` says so. Confidences are probabilities, 0..1:
    the number's, that all of it is right, is the product of its digits'.
    """

    text: str
    value: int
    confidence: float
    count: int
    digit_confidences: tuple[float, ...]

    @property
    def fault(self) -> str:
        """Why there is no number, in one sentence; empty where there is one."""
        if self.count > MAX_DIGITS:
            return (
                f"more than {MAX_DIGITS} digits are written ({self.count} were seen), of which no "
                "number is read: write fewer, or crop to one number"
            )
        return "" if self.count else "no digit is seen in what is drawn: write larger or clearer"


class Reader:
    """A reader file in onnxruntime on one CPU thread; by default the one that ships."""

    def __init__(self, path: Path | None = None) -> None:
        """Open `path`, a file, its folder or the name of a reader that ships, like nano.

        UserError when it is no reader, or none is given and none ships.
        """
        if path is None and not DEFAULT.is_file():
            raise UserError(
                "no reader ships with this copy; make one (trainer train, export, quantize) "
                "and name its reader.onnx with --model"
            )
        self._session = open_session(find_file(Path(path or DEFAULT)))
        if not is_reader(self._session):
            raise UserError(f"{path} ends in logits; name the reader.onnx beside it")

    def read(self, drawing: np.ndarray | Image.Image | str | Path) -> Reading:
        """Read a drawing of any size and polarity; UserError for what `shards.canvas.fit` refuses.

        An array is uint8 (height, width), or another that `fit` takes.
        """
        return self.read_canvas(fit(drawing))

    def read_canvas(self, image: np.ndarray) -> Reading:
        """Read an image that is uint8 (32, 128) already, white ink on black, as `fit` makes it.

        UserError for an array of another kind.
        """
        require_canvas(image)
        value, confidence, count, *rest = run(self._session, image[None])[0].tolist()
        known = int(count) if count <= MAX_DIGITS else 0
        return Reading(
            text="".join(str(int(digit)) for digit in rest[:known]),
            value=int(value),
            confidence=confidence,
            count=int(count),
            digit_confidences=tuple(rest[MAX_DIGITS : MAX_DIGITS + known]),
        )
