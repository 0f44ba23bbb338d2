"""The console scripts' first step, which loads nothing but the standard library."""

import importlib
import sys
from collections.abc import Callable


def command(module: str) -> Callable[[], None]:
    """Return a console script that runs `main` of `module`.

    It imports the module first, which can take a second; Ctrl-C meanwhile ends the process with
    130, as it does later, and without a traceback.
    """

    def main() -> None:
        try:
            run: Callable[[], None] = importlib.import_module(module).main
        except KeyboardInterrupt:
            sys.exit(130)
        run()

    return main
