"""The data card: the README.md of a data set, with the front matter that Hugging Face reads."""

import hashlib
import json
import sys
from pathlib import Path

from shards.files import replacing
from shards.layout import END_BYTES, RECORD_BYTES
from shards.manifest import (
    Addition,
    Manifest,
    ShardEntry,
    writers_in,
)

CARD = "README.md"
_SEAL = b"\n<!-- written by shards; SHA-256 of what is above: "
_SIZES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
    100_000_000: "10M<n<100M",
    1_000_000_000: "100M<n<1B",
}
_LICENCES = {"CC0": "cc0-1.0", "CC0-1.0": "cc0-1.0", "MIT": "mit", "CC-BY-4.0": "cc-by-4.0"}
_HUB_SPLITS = {"test": "test", "val": "validation", "train": "train"}


def write_card(manifest: Manifest, folder: Path) -> None:
    """Write the data card of `manifest` as README.md into `folder`.

    One that a person wrote or edited stays as it is, which is said.
    """
    path = folder / CARD
    if path.exists() and not is_ours(path.read_bytes()):
        print(
            f"{path} is not as this version wrote it, and stays as it is; remove it to have it "
            "written anew",
            file=sys.stderr,
        )
        return
    with replacing(path) as file:
        file.write(card(manifest).encode())


def card(manifest: Manifest, ending: str = ".tar") -> str:
    """Return the data card of `manifest` as Markdown; `ending`: ".tar.gz" of a compact set."""
    parts = (_introduction, _splits, sources, recipe)
    middle = [part(manifest) for part in parts]
    ends = _loading(manifest, ending), _origin(manifest)
    text = "\n".join([_front_matter(manifest, ending), *middle, *ends])
    return text + _seal(text.encode())


def is_ours(text: bytes) -> bool:
    """Whether a card is as `card` made it for whatever manifest: nobody has edited it since."""
    above, line, _ = text.rpartition(_SEAL)
    return bool(line) and text == above + _seal(above).encode()


def _seal(above: bytes) -> str:
    return f"{_SEAL.decode()}{hashlib.sha256(above).hexdigest()} -->\n"


def _front_matter(manifest: Manifest, ending: str) -> str:
    total = sum(manifest.splits.values())
    size = next((name for limit, name in _SIZES.items() if total < limit), "1B<n<10B")
    files = "".join(
        f"  - split: {_HUB_SPLITS[split]}\n    path: {split}-*{ending}\n"
        for split, count in manifest.splits.items()
        if count
    )
    return f"""---
license: {_licence(manifest)}
task_categories:
- image-to-text
tags:
- webdataset
- handwriting
- digits
- ocr
pretty_name: {json.dumps(manifest.name)}
size_categories:
- {size}
configs:
- config_name: default
  data_files:
{files}---
"""


def _licence(manifest: Manifest) -> str:
    found = {_LICENCES.get(source["licence"].upper(), "other") for source in manifest.sources}
    return found.pop() if len(found) == 1 else "other"


def _introduction(manifest: Manifest) -> str:
    total = sum(manifest.splits.values())
    if not manifest.writers_known:
        return f"""# {manifest.name} {manifest.version}

![A few of the images](preview.png)

{total:,} images of numbers of 1 to 5 digits, by others. An image is grey, 128x32 px, white ink on
black; its label is the number with its leading zeros. The JSON has for each digit a box (x, y,
width, height), that of all ink where theirs was not known, and an id that only counts.
"""
    written = " or written whole by a model of the pen" if manifest.recipe.get("written") else ""
    anywhere = ", of some of them anywhere" if manifest.recipe.get("anywhere") else ""
    return f"""# {manifest.name} {manifest.version}

![A few of the images](preview.png)

{total:,} images of handwritten numbers{_lengths(manifest)}, made of single digits{written}. An
image is grey, 128x32 px, white ink on black, its ink at the right{anywhere}; its label is the
number with its leading zeros. The JSON has the box (x, y, width, height) and the origin (id) of
each digit.
"""


def _lengths(manifest: Manifest) -> str:
    match manifest.recipe.get("digits"):
        case [int() | float() as low, int() | float() as high]:
            return f" of {low:g} to {high:g} digits" if low < high else f" of {low:g} digits"
    return ""


def _splits(manifest: Manifest) -> str:
    rows = ""
    for split, count in manifest.splits.items():
        shards = [entry for entry in manifest.shards if entry.split == split]
        rows += f"| {split} | {count:,} | {len(shards)} | {sum(s.bytes for s in shards):,} |\n"
    proof = (
        "No writer, by the names in the manifest, and no digit is in two splits; `shards verify` "
        "proves it."
    )
    if not manifest.writers_known:
        proof = "No picture is in two splits; who wrote the numbers is not known."
    return f"""## Splits

{proof}

| split | images | shards | bytes |
| --- | ---: | ---: | ---: |
{rows}"""


def sources(manifest: Manifest) -> str:
    """Return the section of the card on the digits: each source with its licence, as Markdown."""
    rows = "".join(
        f"| {source['name']} | {source['licence']} | {source['count']:,} "
        f"| {writers_in(source):,} | `{source['sha256'][:16]}` |\n"
        for source in manifest.sources
    )
    return f"""## Digits

| source | licence | digits | writers | SHA-256 |
| --- | --- | ---: | ---: | --- |
{rows}"""


def recipe(manifest: Manifest) -> str:
    """Return the section of the card on the recipe: every range, as Markdown."""
    rows = "".join(
        f"| {name} | {_cell(value)} |\n" for name, value in flat(manifest.recipe).items()
    )
    return f"""## Recipe

Seed {manifest.seed}.

| parameter | value |
| --- | --- |
{rows}"""


def flat(recipe: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Return the leaves of nested objects, by their names joined with points."""
    leaves: dict[str, object] = {}
    for name, value in recipe.items():
        leaves |= (
            flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
    return leaves


def _cell(value: object) -> str:
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return " to ".join(str(item) for item in value)
    return str(value).replace("|", "\\|")


def _loading(manifest: Manifest, ending: str) -> str:
    split = next(split for split, count in reversed(manifest.splits.items()) if count)
    entry = next(entry for entry in manifest.shards if entry.split == split)
    file = entry.file.removesuffix(".tar") + ending
    return f"""## Loading

Each shard is a tar in the WebDataset convention (`<key>.png`, `<key>.txt`, `<key>.json`).

```python
import datasets

numbers = datasets.load_dataset(
    "webdataset", data_files="{split}-*{ending}", split="train"
)  # columns png, txt, json
```

```python
import webdataset

numbers = webdataset.WebDataset("{file}", shardshuffle=False)
for image, label in numbers.decode("l").to_tuple("png", "txt"):  # floats (32, 128) in 0..1
    ...
```

```python
import io, tarfile
from PIL import Image

with tarfile.open("{file}") as tar:
    image = Image.open(io.BytesIO(tar.extractfile("{entry.first_key:09}.png").read()))
    label = tar.extractfile("{entry.first_key:09}.txt").read().decode()
```
{_strided(entry) if ending == ".tar" else _EXPAND}"""


_EXPAND = """
`shards expand` or `shards pull` makes of these packed shards those that were built, byte for byte:
arrays of images that need no decoding.
"""


def _strided(entry: ShardEntry) -> str:
    return f"""
Every record has the same size and its pixels are stored as they are, so that a shard is also an
array of images that needs no decoding:

```python
import numpy as np

data = np.memmap("{entry.file}", np.uint8, "r")[:-{END_BYTES}].reshape(-1, {RECORD_BYTES})
images = data[:, 560:4688].reshape(-1, 32, 129)[:, :, 1:]  # uint8 (n, 32, 128)
labels = data[:, 5632:5637].copy().view("S5")[:, 0]
```
"""


def _origin(manifest: Manifest) -> str:
    return f"""## Origin

Format {manifest.format}, made with {_tools(manifest.tools)}. Fingerprint of all that decides
the bytes: `{manifest.fingerprint}`.
{"".join(map(_added, manifest.additions))}"""


def _added(addition: Addition) -> str:
    sizes = ", ".join(f"{count:,} {split}" for split, count in addition.splits.items())
    return f"\nAdded after the first version: {sizes}, with {_tools(addition.tools)}.\n"


def _tools(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown tools"
