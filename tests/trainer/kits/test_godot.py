"""The scene of the Godot kit in Godot 3, drawn on by events of a mouse.

Godot 3 has no wrapper of onnxruntime: a process of Python runs the models in its place.
"""

import json
import sys
from pathlib import Path

import pytest

from scripts.golden import write
from tests.trainer.kits.tools import GODOT_3, HERE, godot, godot_project
from trainer.kit import KITS, write_kit


def test_a_scene_captures_strokes_reads_and_checks(model: Path, tmp_path: Path) -> None:
    write_kit(tmp_path / "kit", "godot", str(model))
    project = godot_project(tmp_path / "kit", tmp_path / "project")
    plan = {"strokes": write("60", 200, 2), "answer": "60", "answers": ["60", "6", "", "x7"]}
    plan["answers"] += ["123456", "-1", " 60", "4.0"]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    said = godot(project, "t_scene.gd", tmp_path / "plan.json", sys.executable, HERE / "predict.py")
    by = dict(said)
    assert by["strokes"] == len(plan["strokes"])
    reading = by["reading"]
    assert (reading["text"], reading["value"], reading["count"]) == ("60", 60, 2)
    assert reading["fault"] == ""
    assert len(reading["digit_confidences"]) == 2
    assert reading["confidence"] > 0.9
    assert by["label"] == f"60 ({reading['confidence']:.2f}): right"
    checks = [what for name, what in said if name == "check"]
    assert (checks[0]["verdict"], checks[0]["fault"]) == ("right", "")
    assert checks[0]["probability"] > 0.9
    assert checks[0]["reading_probability"] == pytest.approx(reading["confidence"], abs=0.02)
    assert (checks[1]["verdict"], checks[1]["value"]) == ("wrong", 60)
    assert 0 <= checks[1]["probability"] < 0.001
    nothing = {"verdict": "ask again", "probability": 0, "reading_probability": 0, "value": -1}
    for check, answer in zip(checks[2:], plan["answers"][2:], strict=True):
        fault = f"the expected answer must be 1 to 5 digits, not '{answer}'"
        assert check == nothing | {"fault": fault}
    unread = {"text": "", "value": -1, "confidence": 0, "count": 0, "digit_confidences": []}
    assert by["read nothing"] == unread | {"fault": "nothing is drawn"}
    assert by["check nothing"] == nothing | {"fault": "nothing is drawn"}
    assert by["cleared"] == 0
    assert by["many digits"] == unread | {"count": 7, "fault": "more than 5 digits are seen"}
    assert by["no reader"] == unread | {"fault": "the model is no reader.onnx"}
    assert by["closed"] == ["no reader.onnx is open", "no checker.onnx is open"]


def test_the_readme_names_what_godot_3_calls_otherwise() -> None:
    text = (KITS / "godot/README.md").read_text()
    for name, older in GODOT_3.items():
        assert f"| `{name}` | `{older}` |" in text
