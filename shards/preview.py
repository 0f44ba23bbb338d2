"""Contact sheets: pictures with their labels, to be looked at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shards.errors import UserError
from shards.files import save_image
from shards.labels import to_labels
from shards.names import SPLITS
from shards.reader import DataSet

PREVIEW = "preview.png"
_SHOWN = 60
_SCALE = 2
_GAP, _CAPTION = 12, 22  # px between pictures, px for the line under each
_TEXT_SIZE = 15
_GROUND, _TEXT = (24, 26, 30), (222, 226, 232)


def preview(dataset: DataSet, split: str, count: int) -> Image.Image:
    """Draw `count` samples, spread evenly over what is at hand of `split`, with their labels."""
    ready = dataset.at_hand(split)
    if count < 1:
        raise UserError(f"{count} samples are asked for: ask for one or more")
    if not ready:
        raise UserError(
            f"no sample of {split!r} of {dataset.where} is on disk: wait for the build, or fetch it"
        )
    indices = np.linspace(0, ready - 1, min(count, ready)).round().astype(np.int64)
    images, digits = dataset.gather(split, indices)
    return sheet(images, to_labels(digits), columns=4)


def save_preview(dataset: DataSet) -> None:
    """Draw the picture of a data set, of train if it has any, as preview.png beside its shards."""
    splits = dataset.manifest.splits
    for split in [split for split in ("train", *SPLITS) if splits.get(split)][:1]:
        save_image(preview(dataset, split, _SHOWN), dataset.folder / PREVIEW)


def sheet(
    images: Sequence[np.ndarray] | np.ndarray, captions: Sequence[str], columns: int
) -> Image.Image:
    """Draw grey `images`, uint8 (n, height, width), twice as large, row by row, `captions` below.

    columns: pictures in a row, at least 1. Returns an RGB image; UserError without images.
    """
    if len(images) == 0 or len(images) != len(captions) or columns < 1:
        raise UserError(
            f"a sheet of {len(images)} images, {len(captions)} captions and {columns} columns "
            "cannot be drawn: give as many captions as images, and one column or more"
        )
    columns = min(columns, len(images))
    height, width = (_SCALE * side for side in images[0].shape)
    rows = -(-len(images) // columns)
    size = (_GAP + columns * (width + _GAP), _GAP + rows * (height + _CAPTION + _GAP))
    page = Image.new("RGB", size, _GROUND)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(_TEXT_SIZE)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(i, columns)
        x, y = _GAP + column * (width + _GAP), _GAP + row * (height + _CAPTION + _GAP)
        page.paste(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC), (x, y))
        draw.text((x + width, y + height + 2), caption, _TEXT, font, anchor="ra")
    return page
