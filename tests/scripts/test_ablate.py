import json
from pathlib import Path

import pytest

from generator.recipe import preset
from scripts.ablate import INGREDIENTS, write
from scripts.steps import Step


@pytest.mark.parametrize("name", [name for name, settings in INGREDIENTS.items() if settings])
def test_each_ingredient_is_in_the_child_recipe_until_it_is_taken_out(name: str) -> None:
    child = preset("child")
    settings = INGREDIENTS[name] or []
    for number, setting in enumerate(settings):
        others = settings[:number] + settings[number + 1 :]
        assert child.override(settings) != child.override(others), setting


def test_the_table_has_a_row_for_each_tested_run_and_names_what_failed(tmp_path: Path) -> None:
    result = tmp_path / "work/run-1/tablet/evaluation.json"
    result.parent.mkdir(parents=True)
    exact = {"count": 100, "share": 0.91, "low": 0.84, "high": 0.95}
    result.write_text(json.dumps({"exact": exact}))
    write(tmp_path, ["- commit abc"], [Step("train-2", "trainer train", 1.0, "exit status 1: no")])
    table = (tmp_path / "ABLATION.md").read_text()
    assert table.startswith("- commit abc\n")
    assert "| without one writer for a number | 0.9100 [0.8400, 0.9500] |  |" in table
    assert "without re-inking" not in table
    assert "train-2 failed: exit status 1: no" in table
