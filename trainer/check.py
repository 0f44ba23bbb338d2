"""The check that a game calls: whether a drawing shows an answer."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from shards.canvas import fit
from shards.errors import UserError
from shards.labels import to_digits
from trainer.check_graph import ASK_AGAIN, RIGHT, WRONG
from trainer.files import CHECKER
from trainer.runtime import ask, open_session, require_canvas
from trainer.shipped import FOLDER, find_file

DEFAULT = FOLDER / "nano-int8" / CHECKER
_ANSWER = re.compile("[0-9]{1,5}")
_VERDICTS: dict[int, Literal["right", "ask again", "wrong"]] = {
    RIGHT: "right",
    ASK_AGAIN: "ask again",
    WRONG: "wrong",
}


@dataclass(frozen=True)
class Check:
    """What a checker says.

    `probability` is that the drawing shows exactly the expected answer; `value` is what is read,
    -1 where that is no number of 1 to 5 digits, and `reading_probability` how probable it is.
    """

    verdict: Literal["right", "ask again", "wrong"]
    probability: float
    reading_probability: float
    value: int


class Checker:
    """A checker file in onnxruntime on one CPU thread; by default the one that ships."""

    def __init__(self, path: Path | None = None) -> None:
        """Open `path`, a file, its folder or the name of a reader that ships, like nano.

        UserError when it is no checker, or none is given and none ships.
        """
        if path is None and not DEFAULT.is_file():
            raise UserError(
                "no checker ships with this copy; make one (trainer export, or trainer checker "
                "for files that are there) and name its checker.onnx with --model"
            )
        self._session = open_session(find_file(Path(path or DEFAULT), CHECKER), ("answer",))

    def check(self, drawing: np.ndarray | Image.Image | str | Path, answer: str | int) -> Check:
        """Say whether a drawing of any size and polarity shows `answer`, 1 to 5 digits.

        "042" is another answer than "42". Raises UserError for other answers, and for a drawing
        that `shards.canvas.fit` refuses.
        """
        return self.check_canvas(fit(drawing), answer)

    def check_canvas(self, image: np.ndarray, answer: str | int) -> Check:
        """Check an image that is uint8 (32, 128) already, white ink on black, as `fit` makes it.

        UserError for an array of another kind, and for other answers than `check` takes.
        """
        require_canvas(image)
        if not _ANSWER.fullmatch(str(answer)):
            raise UserError(f"the answer {str(answer)!r} is not a number of 1 to 5 digits 0-9")
        verdict, probability, best, value = ask(
            self._session, image[None], to_digits([str(answer)])
        )[0]
        return Check(_VERDICTS[int(verdict)], float(probability), float(best), int(value))
