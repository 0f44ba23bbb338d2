import json
from pathlib import Path

import numpy as np

from scripts.golden import golden, ink, pack, unpack

ROOT = Path(__file__).parents[2]


def test_the_script_makes_what_the_file_holds() -> None:
    made, held = golden(), json.loads((ROOT / "tests/golden.json").read_text())
    assert [each["name"] for each in made] == [each["name"] for each in held]
    assert [each.keys() for each in made] == [each.keys() for each in held]
    for each in held:
        assert len(unpack(each["canvas"])) == 32 * 128
        assert len(unpack(each["pixels"])) == each["width"] * each["height"] * each["channels"]
        if "strokes" in each:
            drawn = ink(each["strokes"], each["pen"], each["width"], each["height"])
            assert np.array_equal(drawn.ravel(), unpack(each["pixels"]))


def test_ink_fades_over_a_pixel() -> None:
    dash = ink([[2.5, 2.5, 6.5, 2.5]], 2, 9, 5)
    assert dash[2].tolist() == [0, 128, 255, 255, 255, 255, 255, 128, 0]
    assert dash[:, 4].tolist() == [0, 128, 255, 128, 0]
    assert ink([[1.5, 1.5]], 1, 3, 3).tolist() == [[0, 0, 0], [0, 255, 0], [0, 0, 0]]


def test_bytes_are_packed() -> None:
    assert unpack(pack(bytes(range(256)))).tolist() == list(range(256))
