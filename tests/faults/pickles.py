"""A pickle that runs a command when it is loaded."""

import os


class Bomb:
    def __reduce__(self) -> tuple:
        return os.system, ("touch exploded",)
