"""Runs `generator build` in this fresh process; prints CPU time and peak memory as JSON."""

import json
import resource
import sys

from generator.cli import app

# Linux counts kilobytes, macOS bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Build with the arguments of `generator build`.

    The last line says: `cpu`, seconds of all processes together; `main` and `worker`, peak bytes of
    the resident set of this process and of the largest worker. That counts the pages of the digit
    bank, which is mapped and which all processes share.
    """
    app(["build", *sys.argv[1:]], standalone_mode=False)
    own = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    usage = {
        "cpu": own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime,
        "main": own.ru_maxrss * _RSS_UNIT,
        "worker": workers.ru_maxrss * _RSS_UNIT,
    }
    print(json.dumps(usage))


if __name__ == "__main__":
    main()
