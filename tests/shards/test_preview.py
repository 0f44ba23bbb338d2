import numpy as np
import pytest

from shards.errors import UserError
from shards.preview import preview, sheet
from shards.reader import DataSet


def test_pictures_stand_twice_as_large_in_rows() -> None:
    images = np.full((3, 10, 30), 255, np.uint8)
    page = np.asarray(sheet(images, ["1", "02", "333"], columns=2))
    assert page.shape == (12 + 2 * (20 + 22 + 12), 12 + 2 * (60 + 12), 3)
    for x, y in ((12, 12), (84, 12), (12, 66)):
        assert (page[y : y + 20, x : x + 60] == 255).all()
        assert (page[y + 20 : y + 42, x : x + 60] > 150).any()  # the caption below
    assert (page[66:108, 84:144] == page[0, 0]).all()  # no fourth picture


def test_captions_and_images_must_match() -> None:
    for images, captions, columns in (([], [], 1), (np.zeros((2, 3, 3), np.uint8), ["a"], 1)):
        with pytest.raises(UserError, match="as many captions as images"):
            sheet(images, captions, columns)
    with pytest.raises(UserError, match="one column or more"):
        sheet(np.zeros((1, 3, 3), np.uint8), ["a"], 0)


def test_preview_is_spread_over_the_split(built) -> None:
    folder, samples = built
    page = np.asarray(preview(DataSet(folder), "train", 4))
    assert page.shape[1] == 12 + 4 * (256 + 12)
    last = page[12:76, 12 + 3 * 268 : 12 + 3 * 268 + 256, 0]
    shown = np.asarray(sheet(samples.images[99:], [""], 1))[12:76, 12:268, 0]
    assert np.array_equal(last, shown)


def test_more_than_there_are_shows_all(built) -> None:
    page = preview(DataSet(built[0]), "val", 1000)
    assert page.height == 12 + 3 * (64 + 22 + 12)
