"""Disks that are full: a limit on the size of files anywhere, a real small one where it mounts."""

import os
import resource
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol


class Disk(Protocol):
    """A folder on a disk; `says` is the system's word for a full one."""

    folder: Path
    says: str

    def leave(self, room: int) -> None:
        """Let `room` bytes more be written, and no more."""

    def free(self) -> None:
        """Let anything be written."""


class LimitedDisk:
    """Any disk, and a limit on the size of a file that this process and its children write."""

    says = "File too large"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def leave(self, room: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, self._before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


class SmallDisk:
    """A file system of its own, in memory, that only root may mount."""

    says = "No space left on device"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True, capture_output=True)

    def leave(self, room: int) -> None:
        now = os.statvfs(self.folder)
        self._resize((now.f_blocks - now.f_bfree) * now.f_bsize + room)

    def free(self) -> None:
        self._resize(64_000_000)

    def _resize(self, size: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.folder], check=True)


def _may_mount() -> bool:
    with TemporaryDirectory() as folder:
        try:
            SmallDisk(Path(folder)).unmount()
        except (subprocess.CalledProcessError, FileNotFoundError):
            return False
    return True


KINDS = (LimitedDisk, SmallDisk) if _may_mount() else (LimitedDisk,)
