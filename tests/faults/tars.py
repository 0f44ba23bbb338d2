"""Foreign tars, sound and hostile."""

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image


def png(image: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def drawing(height: int = 32, width: int = 128, seed: int = 0) -> np.ndarray:
    """White strokes on black, another for each seed: uint8 (height, width)."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width), np.uint8)
    for column in random.integers(width // 3, width - 8, 4):
        top = int(random.integers(2, height // 3))
        image[top : height - 3, column : column + 3] = random.integers(200, 256)
    return image


def write_tar(path: Path, files: dict[str, bytes], **options: object) -> Path:
    with tarfile.open(path, "w", **options) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = 1.5  # of which the default format makes a pax header, as webdataset's
            tar.addfile(info, io.BytesIO(data))
    return path


def write_members(path: Path, members: list[tarfile.TarInfo], data: bytes = b"") -> Path:
    """Write headers as they are, each followed by `data`."""
    with path.open("wb") as file:
        for member in members:
            file.write(member.tobuf(tarfile.GNU_FORMAT))
            file.write(data + bytes(-len(data) % 512))
        file.write(bytes(1024))
    return path
