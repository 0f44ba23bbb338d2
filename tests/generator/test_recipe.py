import dataclasses

import pytest

from generator.recipe import PRESETS, Recipe, preset
from shards.errors import UserError


def test_reference_has_the_reference_projects_ranges() -> None:
    r = preset("reference")
    assert (r.rotation, r.scale, r.shift) == ((-10, 10), (0.9, 1.1), (-4, 4))
    assert (r.baseline, r.gap, r.frame, r.digits) == ((-5, 5), (-12, 10), "box", (1, 5))


def test_overrides_change_what_they_name_and_nothing_else() -> None:
    changed = preset("child").override(["gap=-1:2.5", "reink=0", "slant=3"])
    assert (changed.gap, changed.reink, changed.slant) == ((-1, 2.5), 0, (3, 3))
    back = dataclasses.replace(changed, gap=(-2.5, 2.5), reink=0.6, slant=PRESETS["child"].slant)
    assert back == preset("child")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("gap=3:1", "upside down.*gap=1:3"),
        ("gap", "NAME=VALUE"),
        ("girth=1", "NAME one of .*gap"),
        ("gap=wide", "'wide' is no number"),
        ("gap=1:2:3", "3 parts"),
        ("reink=0:1", "takes one number"),
        ("reink=1.5", "outside 0 to 1"),
        ("pen=0.1:2", "outside 0.5 to 8"),
        ("pen=2.0000002:2.0000001", "2.0000002 to 2.0000001; write pen=2.0000001:2.0000002"),
        ("frame=oval", "'ink' or 'box'"),
        ("gap=nan", "gap"),
        ("name=mine", "NAME one of"),
        ("digits=1.5:1.9", "digits is 1.5 to 1.9; a number has whole digits"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(setting: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        preset("child").override([setting])
    assert "\n" not in str(caught.value)


def test_what_changes_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="slant changes nothing where written is 1"):
        preset("written").override(["slant=-45:45"])
    with pytest.raises(UserError, match="frame changes nothing where written is 1"):
        preset("written").override(["frame=box"])
    assert preset("written").override(["slant=9", "written=0.5"]).slant == (9, 9)
    assert preset("written").override(["slant=0", "pen=2"]).pen == (2, 2)


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Recipe) if f.type is not str])
def test_every_number_has_a_limit(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} is 99, outside|{name} is 99 to 99, outside"):
        preset("child").override([f"{name}=99"])


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="'adult'.*child, reference, written, clean, tiny"):
        preset("adult")


def test_every_field_is_shown_with_its_meaning_and_goes_into_the_manifest() -> None:
    recipe = preset("child")
    names = [field.name for field in dataclasses.fields(Recipe)]
    assert list(recipe.to_json()) == names
    assert len(recipe.lines()) == len(names)
    assert recipe.to_json()["digits"] == [1.0, 5.0]
