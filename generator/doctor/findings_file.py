"""Reads what `generator doctor --json` wrote, so that a bank can do without the bad files."""

import json
from collections.abc import Collection
from pathlib import Path

from shards.errors import UserError


def bad_files(path: Path, folders: Collection[Path]) -> frozenset[Path]:
    """Absolute paths of the files that the findings call bad.

    Args:
        path: What `generator doctor FOLDER --json` wrote.
        folders: FOLDER is one of these, as seen from where this runs.

    Raises:
        UserError: There is no such file, it is none that the doctor wrote, or it is about another
            folder, so that nothing would be left out.
    """
    try:
        content = json.loads(path.read_bytes())
        about = Path(content["folder"])
        bad = frozenset(Path(each["path"]).resolve() for each in content["findings"] if each["bad"])
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path} has no findings; make it with generator doctor FOLDER --json FILE"
        ) from error
    if about.resolve() not in {folder.resolve() for folder in folders}:
        raise UserError(
            f"{path} is about the folder {about}, which is none of those given; make it again with "
            "generator doctor FOLDER --json FILE, from here"
        )
    return bad
