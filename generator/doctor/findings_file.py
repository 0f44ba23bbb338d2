"""Reads what `generator doctor --json` wrote, so that a bank can do without the bad files."""

import json
from pathlib import Path

from shards.errors import UserError


def bad_files(path: Path) -> frozenset[Path]:
    """Absolute paths of the files that the findings call bad.

    Raises:
        UserError: There is no such file, or it is none that the doctor wrote.
    """
    try:
        findings = json.loads(path.read_bytes())["findings"]
        return frozenset(Path(each["path"]).resolve() for each in findings if each["bad"])
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path} has no findings; make it with generator doctor FOLDER --json FILE"
        ) from error
