"""What a number may look like: every range of the augmentation, and the presets."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from shards.errors import UserError

Range = tuple[float, float]


def _field(default: Any, help_text: str, limits: Range = (0, 1)) -> Any:
    """Describe a field; `limits` are the widest values that still give numbers one can read."""
    return dataclasses.field(default=default, metadata={"help": help_text, "limits": limits})


@dataclass(frozen=True)
class Recipe:
    """The ranges from which each number and each digit draws uniformly.

    Lengths are in px of MNIST's 28 px digit frame, in which a digit's ink is about 20 px high.
    """

    name: str = _field("custom", "the preset it started from")
    frame: str = _field(
        "ink", "'ink': ends in fit() geometry; 'box': the 28 px frames are scaled to 30 px"
    )
    digits: Range = _field((1, 5), "digits per number, each count as likely", (1, 5))
    reference: float = _field(0.0, "share of numbers drawn by the preset `reference` instead")
    written: float = _field(0.0, "share of numbers that the pen model writes, by hands of its own")
    leading_zeros: float = _field(0.1, "share of numbers whose first digit may be 0")
    one_writer: float = _field(1.0, "share of numbers whose digits are all by one writer")
    rotation: Range = _field((0, 0), "degrees, each digit", (-45, 45))
    scale: Range = _field((1, 1), "factor, each digit", (0.3, 3))
    aspect: Range = _field((1, 1), "factor on the width, each number", (0.4, 2.5))
    shift: Range = _field((0, 0), "px, each digit, both ways", (-14, 14))
    baseline: Range = _field((0, 0), "px, vertical shift of each digit", (-28, 28))
    slant: Range = _field((0, 0), "degrees to the right, each number", (-45, 45))
    lean: Range = _field((0, 0), "degrees to the right, added for each digit", (-30, 30))
    rise: Range = _field((0, 0), "degrees, rising baseline of each number", (-20, 20))
    spacing: Range = _field((0, 0), "px, gap between neighbours, each number", (-20, 40))
    gap: Range = _field((0, 0), "px, added to the spacing for each pair of neighbours", (-20, 40))
    overlap: float = _field(0.25, "most that neighbours overlap, of the narrower one's width")
    elastic: Range = _field((0, 0), "px, smooth displacement of each digit", (0, 4))
    tremor: Range = _field((0, 0), "px, fast displacement of each digit")
    reink: float = _field(
        0.0, "share of numbers thinned and inked anew, as all under a `size` of 0.6"
    )
    pen: Range = _field((2, 2), "px, pen width of a number inked anew", (0.5, 8))
    contrast: Range = _field(
        (1, 1), "factor on the ink of a number that is not inked anew", (0.3, 4)
    )
    softness: Range = _field(
        (1, 1), "output px over which ink fades at its edge, inked anew", (0.5, 4)
    )
    uneven: float = _field(0.0, "share of numbers whose ink fades here and there, as in a scan")
    broken: float = _field(0.0, "share of numbers whose strokes have short breaks, as in a scan")
    specked: float = _field(0.0, "share of numbers with specks of dirt between their digits")
    marked: float = _field(0.0, "share of numbers with a point, sign or line that is no digit")
    doodled: float = _field(0.0, "share of numbers with a drawing or a word before or after them")
    anywhere: float = _field(0.0, "share of numbers placed anywhere, at a size drawn from `size`")
    size: Range = _field((1, 1), "factor on the height of a number placed anywhere", (0.3, 1))
    strayed: float = _field(0.0, "share of those with cut-off ink at the edge of the drawing")
    ruled: float = _field(
        0.0, "share of numbers on a form: lines through or around them, a ring, a stamp"
    )
    scanned: float = _field(0.0, "share of numbers beside which a scan left some of the paper")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(self.name, field.name, getattr(self, field.name), field.metadata["limits"])

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values, ranges as [low, high]."""
        values = dataclasses.asdict(self)
        return {name: _plain(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Recipe":
        """The recipe that `to_json` gave as `values`.

        Raises:
            UserError: It is none of this version's, or a value is out of range.
        """
        defaults = {f.name: f.default for f in dataclasses.fields(cls)}
        odd = sorted(defaults.keys() ^ values.keys()) or [
            name for name, value in values.items() if not _is_like(value, defaults[name])
        ]
        if odd:
            raise UserError(
                f"the recipe {values.get('name')!r} differs from those of this version in "
                f"{', '.join(odd)}; take the version that made it"
            )
        ranges = {name: tuple(v) for name, v in values.items() if isinstance(v, list)}
        return cls(**(values | ranges))

    def lines(self) -> list[str]:
        """One line for each field: name, value, meaning; for a terminal."""
        return [
            f"{f.name:>14}  {_show(getattr(self, f.name)):<12}  {f.metadata['help']}"
            for f in dataclasses.fields(self)
        ]

    def override(self, settings: list[str]) -> "Recipe":
        """This recipe with `name=value` or `name=low:high` settings applied.

        Raises:
            UserError: An unknown name, a value that is no number, a range upside down, or one that
                changes nothing where the pen model writes all.
        """
        changes = dict(self._parse(setting) for setting in settings)
        changed = dataclasses.replace(self, **changes)
        unused = [n for n in changes if n in _NOT_BY_PEN and getattr(self, n) != changes[n]]
        if changed.written == 1 and unused:
            raise UserError(
                f"{unused[0]} changes nothing where written is 1, since the pen model writes all "
                "numbers by hands of its own; leave it out, or lower written"
            )
        return changed

    def _parse(self, setting: str) -> tuple[str, Any]:
        name, equals, text = setting.partition("=")
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del fields["name"]
        if not equals or name not in fields:
            known = ", ".join(fields)
            raise UserError(f"setting '{setting}' is not NAME=VALUE with NAME one of {known}")
        if isinstance(fields[name], str):
            return name, text
        try:
            values = tuple(float(part) for part in text.split(":"))
        except ValueError:
            raise UserError(
                f"setting '{setting}': '{text}' is no number; write {name}=1.5 or {name}=1:2"
            ) from None
        if isinstance(fields[name], tuple):
            if len(values) > 2:
                raise UserError(f"setting '{setting}' has {len(values)} parts; write {name}=1:2")
            return name, (values[0], values[-1])
        if len(values) != 1:
            raise UserError(f"setting '{setting}' is a range, but {name} takes one number")
        return name, values[0]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [float(limit) for limit in value]
    return value if isinstance(value, str) else float(value)


def _is_like(value: Any, default: Any) -> bool:
    """Whether a JSON value is what `_plain` makes of a value of the kind of `default`."""
    if isinstance(default, tuple):
        return isinstance(value, list) and [type(limit) for limit in value] == [float, float]
    return type(value) is (str if isinstance(default, str) else float)


def _show(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]:.12g} to {value[1]:.12g}"
    return value if isinstance(value, str) else f"{value:.12g}"


# What numbers that the pen model writes have by their hand.
_NOT_BY_PEN = frozenset(
    (
        *("reference", "one_writer", "rotation", "aspect", "slant", "lean", "overlap"),
        *("elastic", "tremor", "reink", "contrast", "frame"),
    )
)


def _check(recipe: str, name: str, value: Any, limits: Range) -> None:
    if name == "frame" and value not in ("ink", "box"):
        raise UserError(f"recipe '{recipe}': frame is '{value}'; it takes 'ink' or 'box'")
    if isinstance(value, str):
        return
    low, high = value if isinstance(value, tuple) else (value, value)
    least, most = limits
    if name == "digits" and not (float(low).is_integer() and float(high).is_integer()):
        raise UserError(
            f"recipe '{recipe}': digits is {_show(value)}; a number has whole digits, like 2 to 4"
        )
    if low > high:
        raise UserError(
            f"recipe '{recipe}': {name} is upside down, {low:.12g} to {high:.12g}; "
            f"write {name}={high:.12g}:{low:.12g}"
        )
    if not (least <= low and high <= most):
        raise UserError(
            f"recipe '{recipe}': {name} is {_show(value)}, outside {least:g} to {most:g}"
        )


PRESETS: dict[str, Recipe] = {
    "child": Recipe(
        name="child",
        reference=0.2,
        written=0.2,
        rotation=(-7, 7),
        scale=(0.82, 1.18),
        aspect=(0.75, 1.3),
        baseline=(-3, 3),
        slant=(-15, 25),
        lean=(-5, 5),
        rise=(-5, 5),
        spacing=(-2, 8),
        gap=(-2.5, 2.5),
        elastic=(0, 1.1),
        tremor=(0, 0.25),
        reink=0.6,
        pen=(0.9, 5),
        contrast=(1, 2.2),
        softness=(0.8, 2),
        uneven=0.2,
        broken=0.08,
        specked=0.06,
        marked=0.12,
        doodled=0.09,
        anywhere=0.25,
        size=(0.4, 1),
        strayed=0.3,
        ruled=0.15,
        scanned=0.12,
    ),
    "reference": Recipe(
        name="reference",
        frame="box",
        one_writer=0,
        rotation=(-10, 10),
        scale=(0.9, 1.1),
        shift=(-4, 4),
        baseline=(-5, 5),
        gap=(-12, 10),
        overlap=1,
    ),
    "written": Recipe(
        name="written",
        written=1,
        scale=(0.82, 1.18),
        baseline=(-3, 3),
        rise=(-5, 5),
        spacing=(-2, 8),
        gap=(-2.5, 2.5),
        pen=(0.9, 5),
        softness=(0.8, 2),
        uneven=0.2,
        broken=0.08,
        specked=0.06,
        marked=0.12,
        anywhere=0.25,
        size=(0.4, 1),
        strayed=0.3,
        ruled=0.15,
        scanned=0.12,
    ),
    "clean": Recipe(name="clean", spacing=(3, 3)),
    "tiny": Recipe(name="tiny", digits=(1, 2), rotation=(-5, 5), scale=(0.9, 1.1), spacing=(1, 4)),
}


def preset(name: str) -> Recipe:
    """The preset of that name.

    Raises:
        UserError: There is none.
    """
    if name not in PRESETS:
        raise UserError(f"there is no preset '{name}'; take one of {', '.join(PRESETS)}")
    return PRESETS[name]
