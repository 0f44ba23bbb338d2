"""A sheet with a row for each parameter."""

import dataclasses
import itertools

import numpy as np
import pytest

from generator.bank import Bank
from generator.engine import render
from generator.recipe import Recipe, preset
from generator.sweep import STEPS, sweep
from shards.errors import UserError
from shards.preview import sheet

ROW, TILE = 64 + 22 + 12, 256 + 12  # px of a row and a column of a sheet


def rows_of(recipe: Recipe, bank: Bank) -> list[list[np.ndarray]]:
    """The pictures of a sheet, row by row."""
    page = np.asarray(sweep(bank, recipe, seed=4))
    count, rest = divmod(page.shape[0] - 12, ROW)
    assert rest == 0
    return [
        [page[12 + r * ROW :][:64, 12 + c * TILE :][:, :256] for c in range(STEPS)]
        for r in range(count)
    ]


@pytest.mark.parametrize("change", ["slant=-15:25", "pen=1:5", "scale=0.7:1.3", "size=0.5:1"])
def test_a_row_goes_from_one_end_of_a_range_to_the_other(bank: Bank, change: str) -> None:
    recipe = Recipe(digits=(2, 2), overlap=0).override([change])
    (row,) = rows_of(recipe, bank)
    assert all((a != b).any() for a, b in itertools.pairwise(row))


def test_a_share_is_shown_by_numbers_that_have_it(bank: Bank) -> None:
    recipe = Recipe(digits=(3, 3), overlap=0, doodled=0.1)
    (row,) = rows_of(recipe, bank)
    (plain,) = rows_of(dataclasses.replace(recipe, doodled=0, uneven=1e-9), bank)
    with_ink = [(a > 128).sum() > (b > 128).sum() for a, b in zip(row, plain, strict=True)]
    assert all(with_ink)


def test_strays_are_seen_in_their_row(bank: Bank) -> None:
    looks = Recipe(digits=(3, 3), overlap=0, anywhere=1, size=(0.6, 0.6))
    alone, strayed = (
        render(bank, "train", dataclasses.replace(looks, strayed=share), 4, 0, STEPS).images
        for share in (0, 1)
    )
    assert (alone != strayed).any(axis=(1, 2)).mean() > 0.5
    wanted = sheet(strayed, ["strayed, 0.3 of numbers"] * STEPS, columns=STEPS)
    drawn = sweep(bank, Recipe(digits=(3, 3), overlap=0, strayed=0.3), 4)
    np.testing.assert_array_equal(np.asarray(drawn), np.asarray(wanted))


def test_the_child_recipe_has_a_row_for_all_that_it_varies(bank: Bank) -> None:
    recipe = preset("child")
    still = {"name", "frame", "leading_zeros", "one_writer", "shift"}
    fields = {field.name for field in dataclasses.fields(recipe)}
    assert len(rows_of(recipe, bank)) == len(fields - still)


def test_a_recipe_that_varies_nothing_is_refused(bank: Bank) -> None:
    with pytest.raises(UserError, match="varies nothing"):
        sweep(bank, Recipe(digits=(2, 2), overlap=0), 1)
