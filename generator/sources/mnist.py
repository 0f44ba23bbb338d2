"""MNIST from its four idx files: a folder of them, or downloaded and checked."""

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from generator.glyph import from_mnist
from generator.sources.digits import Digits, split_writers
from shards.errors import UserError

LICENCE = "CC BY-SA 3.0"
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# sha256 of the uncompressed content: the compressed bytes differ between mirrors.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
PARTS = {"train": "train", "test": "t10k"}
# Where writers are unknown, so many digits in a row count as one.
BLOCK = 100


def read_mnist(folder: Path, val: float) -> Digits:
    """MNIST's 70,000 digits: its test part is the test split, some training writers validate.

    Args:
        folder: Holds the idx files, plain or `.gz`. With `writers.npz` (arrays `train_writer` and
            `test_writer`) the writers are known; without it, every 100 digits in a row count as
            one writer, so that validation digits may share a hand with training digits.
        val: Share of the training writers for validation, 0 to 1.

    Raises:
        UserError: A file is missing, truncated, no idx file, or not MNIST's.
    """
    glyphs, labels, writers = [], [], []
    splits: dict[str, str] = {}
    for split, part in PARTS.items():
        pixels = _read_idx(folder, f"{part}-images-idx3-ubyte", 3)
        glyphs.append(from_mnist(pixels))
        labels.append(_read_idx(folder, f"{part}-labels-idx1-ubyte", 1))
        writers.append(_writers(folder, split, len(pixels)))
        names = sorted(set(writers[-1].tolist()))
        splits |= split_writers(names, val, 0) if split == "train" else dict.fromkeys(names, split)
    return Digits(
        "mnist",
        LICENCE,
        np.concatenate([images for images, _ in glyphs]),
        np.concatenate([offsets for _, offsets in glyphs]),
        np.concatenate(labels),
        np.concatenate(writers),
        splits,
    )


def download_mnist() -> Path:
    """Download MNIST into the user's cache, unless it is there, and return the folder.

    Raises:
        UserError: No mirror delivers a file whose content has the right hash.
    """
    import pooch  # only where something is downloaded

    folder = Path(pooch.os_cache("digit-readers")) / "mnist"
    for name in SHA256:
        if not (folder / f"{name}.gz").exists():
            _download(folder, name)
    return folder


def _download(folder: Path, name: str) -> None:
    import pooch

    failures = []
    for mirror in MIRRORS:
        try:
            pooch.retrieve(mirror + name + ".gz", known_hash=None, fname=f"{name}.gz", path=folder)
            _read_idx(folder, name, 3 if "images" in name else 1)
        except (OSError, ValueError) as error:
            (folder / f"{name}.gz").unlink(missing_ok=True)
            failures.append(f"{mirror}: {error}")
        else:
            return
    raise UserError(
        f"MNIST's {name}.gz could not be downloaded ({'; '.join(failures)}); "
        "put the four idx files into a folder and name it with --mnist"
    )


def _read_content(folder: Path, name: str) -> bytes:
    """The uncompressed idx file, its hash checked."""
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{folder} holds neither {name} nor {name}.gz; name the folder of MNIST's idx files"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{packed} is no whole gzip file ({error}); download it again") from None
    return content


def _read_idx(folder: Path, name: str, dimensions: int) -> npt.NDArray[np.uint8]:
    content = _read_content(folder, name)
    magic = content[:4]
    right = bytes([0, 0, 8, dimensions])
    if magic != right:
        raise UserError(
            f"{folder / name} begins with {magic.hex()}, but an idx file of "
            f"{dimensions}-dimensional bytes begins with {right.hex()}; download it again"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise UserError(
            f"the content of {folder / name} has the sha256 {found}, but MNIST's has "
            f"{SHA256[name]}; download it again"
        )
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _writers(folder: Path, split: str, count: int) -> npt.NDArray[np.str_]:
    path = folder / "writers.npz"
    if not path.exists():
        return np.array([f"{split}-block-{k // BLOCK:03d}" for k in range(count)])
    try:
        with np.load(path, allow_pickle=False) as arrays:
            numbers = arrays[f"{split}_writer"]
    except Exception as error:  # among others that of zipfile, which numpy does not wrap
        raise UserError(f"{path} holds no readable array {split}_writer ({error})") from error
    if numbers.shape != (count,) or numbers.dtype.kind not in "iu":
        raise UserError(
            f"{path}: {split}_writer is {numbers.dtype} {numbers.shape}, not a whole number for "
            f"each of {count} digits: save it anew, or remove the file"
        )
    return np.array([f"{number:04d}" for number in numbers])
