from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from shards.card import card, is_ours, write_card
from shards.labels import to_labels
from shards.manifest import IMPORTED, read_manifest, write_manifest


def front_matter(folder: Path) -> dict:
    return yaml.safe_load((folder / "README.md").read_text().split("---")[1])


def test_front_matter_is_what_hugging_face_reads(built) -> None:
    data = front_matter(built[0])
    assert data["license"] == "cc0-1.0"
    assert data["task_categories"] == ["image-to-text"]
    assert data["size_categories"] == ["n<1K"]
    assert data["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "test", "path": "test-*.tar"},
                {"split": "validation", "path": "val-*.tar"},
                {"split": "train", "path": "train-*.tar"},
            ],
        }
    ]


def test_the_card_tells_recipe_sources_and_splits(built) -> None:
    text = (built[0] / "README.md").read_text()
    assert "| height | 20 to 28 |" in text
    assert "| gap.touch | 0.25 |" in text
    assert "| train | 70 | 3 | 504,832 |" in text
    assert "| noise | CC0 | 900 | 3 | `abababababababab` |" in text
    assert read_manifest(built[0] / "manifest.json").fingerprint in text


def test_a_card_that_was_edited_stays(built, capsys) -> None:
    folder = built[0]
    grown = replace(read_manifest(folder / "manifest.json"), version="1.1.0")
    write_card(grown, folder)
    text = (folder / "README.md").read_text()
    assert " 1.1.0\n" in text
    write_manifest(grown, folder / "manifest.json")
    (folder / "README.md").write_text(text + "\nA note.\n")
    write_card(replace(grown, version="1.2.0"), folder)
    assert (folder / "README.md").read_text() == text + "\nA note.\n"
    assert "README.md is not as this version wrote it, and stays" in capsys.readouterr().err


def test_a_card_is_known_whatever_its_manifest_and_version_say(built) -> None:
    text = (built[0] / "README.md").read_bytes()
    assert is_ours(text)
    assert not is_ours(text.replace(b"white ink", b"black ink"))
    assert not is_ours(text + b"more\n")
    assert not is_ours(b"")


def test_the_card_says_what_the_recipe_makes(built) -> None:
    manifest = read_manifest(built[0] / "manifest.json")
    made = {"digits": [1, 2], "written": 0.2, "anywhere": 0.25}
    text = card(replace(manifest, recipe=made)).replace("\n", " ")
    assert "numbers of 1 to 2 digits, made of single digits or written whole by a model" in text
    assert "its ink at the right, of some of them anywhere;" in text
    assert "numbers of 3 digits, made of single digits. " in card(
        replace(manifest, recipe={"digits": [3, 3.0]})
    )
    assert "numbers, made of single digits." in card(replace(manifest, recipe={"digits": "many"}))


def test_the_card_of_strangers_numbers_says_only_what_is_known(built) -> None:
    manifest = read_manifest(built[0] / "manifest.json")
    assert "its ink at the right" in card(manifest)
    strange = card(replace(manifest, recipe=manifest.recipe | {"name": IMPORTED}))
    assert "by others" in strange
    assert "at the right" not in strange


def test_its_numpy_recipe_reads_a_shard(built, monkeypatch) -> None:
    folder, samples = built
    code = (folder / "README.md").read_text().split("```python\n")[-1].split("```")[0]
    monkeypatch.chdir(folder)
    names: dict = {}
    exec(code, names)
    assert np.array_equal(names["images"], samples.images[30:62])
    assert [label.decode() for label in names["labels"]] == to_labels(samples.digits[30:62])
