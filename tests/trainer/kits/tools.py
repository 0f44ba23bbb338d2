"""What the kits are run in, and how drawings are given to them."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

from scripts.golden import entry, unpack
from shards.errors import UserError

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
NODE_MODULES, INCLUDE = ROOT / ".kits/node_modules", ROOT / ".kits/include"
GOLDEN = json.loads((ROOT / "tests/golden.json").read_text())

# What Godot 3 calls otherwise, as the README of the kit says.
GODOT_3 = {
    "PackedByteArray": "PoolByteArray",
    "PackedFloat32Array": "PoolRealArray",
    "PackedVector2Array": "PoolVector2Array",
    "RefCounted": "Reference",
    "queue_redraw": "update",
    'Callable(self, "_on_drawn")': 'self, "_on_drawn"',
}


def need(name: str) -> str:
    """The path of a tool, or of a file that is installed for these tests."""
    found = shutil.which(name) or (name if Path(name).exists() else None)
    if found is None:
        raise RuntimeError(f"the tests of the kits need {name}: .ci/kits installs it on Debian")
    return found


def run(*command: object, seconds: int = 100) -> str:
    """What a command prints; it has to end well and in time."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(*command: object) -> list[list[object]]:
    """The lines of JSON lists that a command prints among others."""
    return [json.loads(line) for line in run(*command).splitlines() if line.startswith("[")]


def godot_project(kit: Path, folder: Path) -> Path:
    """The scripts of a kit for Godot 4 as a project for Godot 3."""
    folder.mkdir()
    classes = []
    for path in sorted([*kit.iterdir(), *HERE.glob("*.gd")]):
        if path.suffix == ".onnx":
            shutil.copy(path, folder)
        elif path.suffix == ".gd" and path.name != "models.gd":
            text = path.read_text()
            for name, older in GODOT_3.items():
                text = text.replace(name, older)
            (folder / path.name).write_text(text)
            words = text.split(maxsplit=4)
            if words[0] == "class_name":
                classes.append({"base": words[3], "class": words[1], "language": "GDScript"})
                classes[-1]["path"] = f"res://{path.name}"
    settings = f"config_version=4\n_global_script_classes={json.dumps(classes)}\n"
    (folder / "project.godot").write_text(settings)
    return folder


def godot(project: Path, script: str, *arguments: object) -> list[list[object]]:
    return said(need("godot3-server"), "--path", project, "-s", script, *arguments)


def drawings() -> list[dict]:
    """The golden drawings, and 60 that are drawn by chance."""
    rng, found = np.random.default_rng(20), list(GOLDEN)
    while len(found) < len(GOLDEN) + 60:
        height, width = rng.integers(1, 70, 2)
        channels = int(rng.choice([1, 1, 1, 2, 3, 4]))
        ink = rng.uniform(size=(height, width, 1)) < rng.choice([0.05, 0.3, 0.9])
        pixels = rng.integers(0, 256, (height, width, channels)) * ink
        if rng.uniform() < 0.5:
            pixels = pixels // 4 + rng.integers(0, 100)
        slope = rng.integers(-60, 60, 2) * rng.integers(0, 2)
        pixels += (np.indices((height, width)).T @ slope // max(height, width)).T[..., None]
        if channels % 2 == 0 and rng.uniform() < 0.5:
            pixels[..., -1] = rng.choice([255, rng.integers(0, 256)])
        pixels = pixels.clip(0, 255).astype(np.uint8)
        try:
            found.append(entry(f"by chance {len(found)}", pixels))
        except UserError:
            continue  # nothing is drawn
    return found


def require_equal(canvases: list[np.ndarray], drawn: list[dict]) -> None:
    """Every canvas is Python's; of colours, whose grey has no exact definition, within 1 of 255."""
    assert len(canvases) == len(drawn)
    apart = {
        each["name"]: int(np.abs(canvas.astype(int) - unpack(each["canvas"])).max())
        for canvas, each in zip(canvases, drawn, strict=True)
    }
    coloured = {each["name"] for each in drawn if each["channels"] > 2}
    wrong = {name: most for name, most in apart.items() if most > (name in coloured)}
    assert not wrong
