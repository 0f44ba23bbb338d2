"""Drawings of every kind of file, with the reader that ships: the same number, or one sentence."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

from shards.canvas import fit
from shards.errors import UserError
from trainer.read import Reader

ROOT = Path(__file__).parents[2]
MEMORY = 4_000_000_000  # bytes of address space; a picture of 10,000 x 10,000 px takes half of it

Page = np.ndarray  # uint8 (height, width), dark on light
Writer = Callable[[Page, Path], object]


def page_of(label: str, writer: int = 0, gaps: int = 20) -> Page:
    """A number by one of the embedded model hands, each digit in its own place."""
    pages = []
    for place, digit in enumerate(label):
        path = ROOT / "custom_digits" / digit / f"pen-{writer:03d}_{place % 5}.png"
        ink = 255 - np.asarray(Image.open(path).convert("L"))
        columns = np.flatnonzero((ink > 40).any(axis=0))
        pages += [ink[:, columns[0] : columns[-1] + 1], np.zeros((len(ink), gaps), np.uint8)]
    return 255 - np.pad(np.concatenate(pages, axis=1), 20)


def flat(page: Page) -> Image.Image:
    return Image.fromarray(page)


def transparent(page: Page, ink: int, mode: str) -> Image.Image:
    """Ink of one grey on a ground of the same grey that nothing shows of."""
    return Image.merge(mode, [*[Image.new("L", page.shape[::-1], ink)] * (len(mode) - 1),
                              flat(255 - page)])  # fmt: skip


def deep(page: Page, kind: type = np.uint16) -> Image.Image:
    return Image.fromarray(page.astype(kind) * 257)


def animated(page: Page, path: Path) -> None:
    blank = Image.new("L", page.shape[::-1], 255)
    flat(page).save(path, save_all=True, append_images=[blank, blank])


KINDS: dict[str, Writer] = {
    "grey.png": lambda page, path: flat(page).save(path),
    "light_on_dark.png": lambda page, path: flat(255 - page).save(path),
    "colour.png": lambda page, path: flat(page).convert("RGB").save(path),
    "palette.png": lambda page, path: flat(page).convert("P").save(path),
    "palette_of_8.png": lambda page, path: flat(page).convert("RGB").quantize(8).save(path),
    "bits.png": lambda page, path: flat(page).convert("1", dither=0).save(path),
    "bits.tif": lambda page, path: flat(page).convert("1", dither=0).save(path),
    "dithered.png": lambda page, path: flat(page).convert("1").save(path),
    "16.png": lambda page, path: deep(page).save(path),
    "16.tif": lambda page, path: deep(page).save(path),
    "32.tif": lambda page, path: deep(page, np.int32).save(path),
    "32_of_255.tif": lambda page, path: Image.fromarray(page.astype(np.int32)).save(path),
    "float.tif": lambda page, path: Image.fromarray(page / np.float32(255)).save(path),
    "float_of_255.tif": lambda page, path: Image.fromarray(page.astype(np.float32)).save(path),
    "cmyk.jpg": lambda page, path: flat(page).convert("CMYK").save(path),
    "cmyk.tif": lambda page, path: flat(page).convert("CMYK").save(path),
    "lab.tif": lambda page, path: flat(page).convert("RGB").convert("LAB").save(path),
    "grey.jpg": lambda page, path: flat(page).save(path),
    "grey.bmp": lambda page, path: flat(page).save(path),
    "grey.webp": lambda page, path: flat(page).save(path),
    "animated.gif": animated,
    "animated.png": animated,
    "opaque_la.png": lambda page, path: flat(page).convert("LA").save(path),
    "opaque_rgba.png": lambda page, path: flat(page).convert("RGBA").save(path),
    "black_rgba.png": lambda page, path: transparent(page, 0, "RGBA").save(path),
    "white_rgba.png": lambda page, path: transparent(page, 255, "RGBA").save(path),
    "black_la.png": lambda page, path: transparent(page, 0, "LA").save(path),
    "white_la.png": lambda page, path: transparent(page, 255, "LA").save(path),
    "clear_white.png": lambda page, path: flat(page).save(path, transparency=255),
    "clear_white.gif": lambda page, path: flat(page).convert("P").save(path, transparency=255),
}
TURNS = {  # how a picture of EXIF orientation i lies in the file
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def trainer_read(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run `trainer read` within MEMORY."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("trainer")), "read", *map(str, files)],
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


def test_one_number_in_every_kind_of_file(tmp_path: Path) -> None:
    page = page_of("40725")
    for name, write in KINDS.items():
        write(page, tmp_path / name)
    done = trainer_read(*(tmp_path / name for name in KINDS))
    assert (done.returncode, done.stderr) == (0, "")
    read = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(Path(path).name, text) for path, text, _ in read] == [(n, "40725") for n in KINDS]
    assert all(float(confidence) > 0.98 for *_, confidence in read)


def test_what_is_kept_exactly_is_fitted_exactly(tmp_path: Path) -> None:
    """To the bit where the file keeps the greys, and grey is not computed from colours."""
    page = page_of("40725")
    exact = {"grey.png", "16.png", "16.tif", "32.tif", "32_of_255.tif", "float_of_255.tif",
             "grey.bmp", "animated.png", "animated.gif", "light_on_dark.png"}  # fmt: skip
    for name in sorted(exact):
        KINDS[name](page, tmp_path / name)
        assert np.array_equal(fit(tmp_path / name), fit(page)), name


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("jpg", {}), ("png", {}), ("webp", {}), ("tif", {}), ("tif", {"compression": "tiff_lzw"})],
)
def test_all_eight_orientations(reader, tmp_path: Path, suffix: str, options: dict) -> None:
    page = page_of("407")
    for orientation, turn in TURNS.items():
        exif = Image.Exif()
        exif[0x112] = orientation
        lying = flat(page) if turn is None else flat(page).transpose(turn)
        path = tmp_path / f"{orientation}.{suffix}"
        lying.save(path, exif=exif, **options)
        assert reader.read(path).text == "407", path.name
        if suffix in ("png", "tif"):
            assert np.array_equal(fit(path), fit(page)), path.name


def test_large_drawings_within_a_bound_of_memory(tmp_path: Path) -> None:
    page = flat(page_of("407"))
    large = Image.new("L", (10_000, 10_000), 255)
    large.paste(page.resize((page.width * 20, page.height * 20)), (1000, 2000))
    large.save(tmp_path / "grey.png", compress_level=1)
    large.convert("RGB").save(tmp_path / "colour.png", compress_level=1)
    Image.new("1", (10_001, 10_000)).save(tmp_path / "larger.png")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    names = ("larger.png", "grey.png", "bomb.png", "colour.png")
    done = trainer_read(*(tmp_path / name for name in names))
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == ["407", "407"]
    assert done.returncode == 1
    limit = "over 100,000,000"
    assert done.stderr.splitlines() == [
        f"error: {tmp_path}/larger.png: the picture has 10001x10000 px, {limit}: shrink it",
        f"error: {tmp_path}/bomb.png: the picture has {limit} px: shrink it",
    ]


def dotted(*size: int) -> Image.Image:
    image = Image.new("L", size, 255)
    image.putpixel((size[0] // 2, size[1] // 2), 0)
    return image


BLANK = "nothing is drawn: the contrast to the background is 0 of 255, at least 32 is needed"
NO_IMAGE = "cannot be read as an image"
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "blank.png": (lambda path: Image.new("L", (200, 90), 255).save(path), BLANK),
    "all_ink.png": (lambda path: Image.new("L", (200, 90)).save(path), BLANK),
    "clear.png": (lambda path: Image.new("RGBA", (200, 90)).save(path), BLANK),
    "1x1.png": (lambda path: Image.new("L", (1, 1)).save(path), BLANK),
    "a_pixel.png": (lambda path: dotted(200, 90).save(path), "no digit is seen in what is drawn"),
    "nan.tif": (
        lambda path: Image.fromarray(np.full((9, 9), np.nan, np.float32)).save(path),
        "a picture of floats must lie in 0..1 or 0..255, this one in nan..nan",
    ),
    "minus.tif": (
        lambda path: Image.fromarray(np.linspace(-1, 1, 99, dtype=np.float32)[None]).save(path),
        "a picture of floats must lie in 0..1 or 0..255, this one in -1..1",
    ),
    "text.png": (lambda path: path.write_text("a drawing of 407"), NO_IMAGE),
    "empty.png": (lambda path: path.touch(), NO_IMAGE),
    "numbers.npy": (lambda path: np.save(path, np.zeros((9, 9))), NO_IMAGE),
    "script.eps": (
        lambda path: flat(page_of("407")).save(path),
        "the picture is of the kind EPS: save it as a PNG",
    ),
    "folder": (lambda path: path.mkdir(), "is no image file: check the path"),
    "missing.png": (lambda path: None, "is no image file: check the path"),
    "six.png": (lambda path: flat(page_of("407254")).save(path), r"more than 5 digits.*\(6 were"),
    "seven.png": (lambda path: flat(page_of("4072541")).save(path), r"more than 5 .*\(7 were"),
}


def test_what_is_no_number_is_told_in_one_sentence_each(tmp_path: Path) -> None:
    for name, (write, _) in REFUSED.items():
        write(tmp_path / name)
    flat(page_of("407")).save(tmp_path / "sound.png")
    done = trainer_read(*(tmp_path / name for name in [*REFUSED, "sound.png"]))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{tmp_path}/sound.png\t407\t")
    lines = done.stderr.splitlines()
    assert len(lines) == len(REFUSED)
    for line, (name, (_, message)) in zip(lines, REFUSED.items(), strict=True):
        assert re.search(rf"^error: .*{name}.*{message}", line), line


def told(reader: Reader, path: Path) -> str:
    """What is read, or why not."""
    try:
        return reader.read(path).text
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("name", ["grey.png", "grey.jpg", "grey.bmp", "16.tif", "animated.gif"])
def test_truncated_files(reader: Reader, tmp_path: Path, name: str) -> None:
    """What lacks only its last bytes, or later frames, is read, and then right."""
    path = tmp_path / name
    KINDS[name](page_of("407"), path)
    data = path.read_bytes()
    for length in [*range(0, len(data) - 64, max(1, len(data) // 60)), len(data) - 2]:
        path.write_bytes(data[:length])
        said = told(reader, path)
        if said != "407":
            assert re.search(rf"{name}.* cannot be read as an image.*: save it anew", said), length
        elif name != "animated.gif":
            assert length == len(data) - 2


def test_a_picture_with_damaged_exif() -> None:
    image = flat(page_of("407"))
    image.info["exif"] = b"Exif\0\0LM\0*\0\0\0\x08"
    with pytest.raises(UserError, match="the picture cannot be read as an image .*: save it anew"):
        fit(image)


@pytest.mark.parametrize("gaps", [4, 8, 14])
def test_six_and_more_digits_are_noticed(reader: Reader, gaps: int) -> None:
    random = np.random.default_rng(gaps)
    noticed = right = 0
    for case in range(100):
        label = "".join(map(str, random.integers(0, 10, 6 + case % 3)))
        reading = reader.read(page_of(label, writer=case % 40, gaps=gaps))
        noticed += bool(reading.fault) and reading.text == ""
        five = reader.read(page_of(label[:5], writer=case % 40, gaps=gaps))
        right += five.text == label[:5]
    assert noticed == 100
    assert right >= 80  # it is not that all is refused
