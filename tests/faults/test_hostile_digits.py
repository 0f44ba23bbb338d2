"""Pictures that are no digits, in recipes at their limits: every number still has all its ink."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from generator import engine
from generator.bank import Bank, build_bank
from generator.recipe import PRESETS, Recipe, preset
from generator.sources.folder import read_folder
from shards.errors import UserError


def hostile() -> list[Image.Image]:
    """A hair upright, lying and slanting and faint, a dot, a block, noise, a faint ring, specks."""
    random = np.random.default_rng(0)
    side = 240
    drawn = [Image.new("L", (side, side)) for _ in range(6)]
    pens = [ImageDraw.Draw(image) for image in drawn]
    pens[0].line([(120, 3), (120, 236)], 255)
    pens[1].line([(3, 120), (236, 120)], 255)
    pens[2].line([(3, 3), (236, 236)], 40)
    pens[3].point((120, 120), 255)
    pens[4].rectangle([2, 2, 237, 237], 255)
    pens[5].ellipse([40, 40, 200, 200], outline=90)
    noise = Image.fromarray(random.integers(0, 256, (90, 90), dtype=np.uint8))
    specks = Image.fromarray(((random.random((90, 90)) < 0.01) * 255).astype(np.uint8))
    return [*drawn, noise, specks]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("hostile")
    for digit in range(10):
        (folder / str(digit)).mkdir()
        for number, image in enumerate(hostile()):
            image.save(folder / str(digit) / f"w{number % 3}_{number}.png")
    return build_bank(folder / "bank.h5", [read_folder(folder, "MIT", val=0, test=0)])


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """A preset with some settings anywhere within their limits."""
    settings = []
    limits = {f.name: f.metadata["limits"] for f in fields(Recipe) if f.type is not str}
    for name in draw(st.sets(st.sampled_from(sorted(limits)), max_size=8)):
        least, most = limits[name]
        values = st.integers(int(least), int(most)) if name == "digits" else st.floats(least, most)
        low, high = sorted([draw(values), draw(values)])
        single = isinstance(getattr(PRESETS["clean"], name), float)
        settings.append(f"{name}={low}" if single else f"{name}={low}:{high}")
    try:
        return preset(draw(st.sampled_from(sorted(PRESETS)))).override(settings)
    except UserError as error:
        if "changes nothing where" in str(error):
            reject()
        raise


@settings(max_examples=30, deadline=None)
@given(recipe=recipes(), seed=st.integers(0, 2**40))
def test_any_digits_in_any_recipe_have_ink_on_the_canvas(
    bank: Bank, recipe: Recipe, seed: int
) -> None:
    samples = engine.render(bank, "train", recipe, seed, 0, 100)
    there = samples.digits >= 0
    x, y, width, height = np.moveaxis(samples.boxes[there], 1, 0)
    assert width.min() > 0
    assert height.min() > 0
    assert x.min() >= 0
    assert y.min() >= 0
    assert (x + width).max() <= 128
    assert (y + height).max() <= 32


def test_a_number_that_no_size_fits_is_named(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRIES", 1)
    recipe = preset("clean").override(["digits=3", "elastic=4", "rotation=-45:45"])
    with pytest.raises(
        UserError,
        match=r"^the digits \d, \d, \d of the bank's rows \d+, \d+, \d+ do not fit the canvas in "
        "any size; look for pictures that are no digits with `generator doctor`",
    ):
        engine.render(bank, "train", recipe, 1, 0, 500)
