"""The digits that come with the package, and the bank made of them when none is named."""

import hashlib
import importlib.util
from pathlib import Path

from generator.bank import build_bank
from generator.bank_file import FORMAT
from generator.sources.folder import read_folder
from shards.errors import UserError

LICENCE = "MIT"
VAL_SHARE = TEST_SHARE = 0.1


def custom_digits() -> Path:
    """The folder `custom_digits`, in the repository or in the installed package.

    Raises:
        UserError: It was not installed.
    """
    spec = importlib.util.find_spec("custom_digits")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the folder custom_digits is not installed; name a bank with --bank")
    return Path(next(iter(spec.submodule_search_locations)))


def embedded_bank() -> Path:
    """The bank of `custom_digits`, in the user's cache; built when a digit has changed."""
    import pooch  # only where the bank comes from the cache

    folder = custom_digits()
    digest = hashlib.sha256()
    for path in sorted(folder.glob("[0-9]/*.png")):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    bank = Path(pooch.os_cache("digit-readers")) / f"custom-{digest.hexdigest()[:16]}-{FORMAT}.h5"
    if not bank.exists():
        build_bank(bank, [read_folder(folder, LICENCE, VAL_SHARE, TEST_SHARE)])
    return bank
