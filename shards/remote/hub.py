"""The Hugging Face Hub as a place to push to: files go in commits, the manifest in the last."""

import re
from collections.abc import Mapping
from pathlib import Path

from shards.errors import UserError
from shards.remote.place import Place
from shards.remote.retry import persistently

_DATA_SET = re.compile(
    r"hf://datasets/(?P<repo>[\w.-]+/[\w.-]+)(?P<folder>(/[\w.-]+)*)/?", re.ASCII
)


def open_place(url: str | Path) -> Place:
    """Open a place to push to: of hf:// a data set of the Hub, else as `Place` does."""
    return HubPlace(str(url)) if str(url).startswith("hf://") else Place(url)


class HubPlace(Place):
    """A data set of the Hub, hf://datasets/USER/NAME, or a folder in it; made where it is new.

    The token is that of `hf auth login` or HF_TOKEN.
    """

    def __init__(self, url: str) -> None:
        """Open it; UserError for a URL of another kind."""
        match = _DATA_SET.fullmatch(url)
        if not match:
            raise UserError(f"{url} is no data set of the Hub: name hf://datasets/USER/NAME")
        super().__init__(url)
        self._repo, self._folder = match["repo"], match["folder"].lstrip("/")

    def put(self, files: Mapping[str, Path]) -> None:
        """Put files there in one commit; UserError where that fails again and again."""
        from huggingface_hub import CommitOperationAdd, HfApi

        if not files:
            return
        api = HfApi()
        added = [
            CommitOperationAdd(f"{self._folder}/{file}".lstrip("/"), path)
            for file, path in files.items()
        ]
        message = f"Add {', '.join(list(files)[:3])}" + (", ..." if len(files) > 3 else "")

        def attempt(_: int) -> None:
            api.create_repo(self._repo, repo_type="dataset", exist_ok=True)
            api.create_commit(self._repo, added, commit_message=message, repo_type="dataset")

        persistently(self.name, attempt)
        self._fs.invalidate_cache()
