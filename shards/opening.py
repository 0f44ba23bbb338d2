"""Data sets by what a person names: a folder, or a URL."""

from pathlib import Path

from shards.reader import DataSet
from shards.remote.place import is_url


def open_data(place: str | Path) -> DataSet:
    """Open the data set in a folder or, as it comes, at a URL (see `shards.remote.stream`).

    Raises UserError where there is none.
    """
    if not is_url(place):
        return DataSet(Path(place))
    from shards.remote.stream import Streamed

    return Streamed(str(place))
