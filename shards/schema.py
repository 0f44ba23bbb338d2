"""Check parsed JSON against what is expected, and say in one sentence what is wrong."""

from typing import Any, NoReturn

from shards.errors import UserError

_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a string",
    dict: "an object",
    list: "a list",
}


def reject(where: str, fault: str) -> NoReturn:
    """Raise the UserError that `where` (a file, or a file and a field) has a fault."""
    raise UserError(f"{where} {fault}: it is damaged or was written by another program")


def expect(value: Any, kind: type, where: str) -> Any:
    """Return `value` if it is exactly of `kind` (true is no int); else raise UserError."""
    if type(value) is not kind:
        reject(where, f"is not {_NAMES[kind]}")
    return value


def expect_fields(
    value: Any, names: tuple[str, ...], where: str, optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return `value` if it is an object with exactly the fields `names`; else raise UserError.

    Those of them in `optional` may be absent.
    """
    found: dict[str, Any] = expect(value, dict, where)
    for name in names:
        if name not in found and name not in optional:
            reject(where, f"lacks the field {name!r}")
    for name in found:
        if name not in names:
            reject(where, f"has an unknown field {name!r}")
    return found


def expect_map(value: Any, kind: type, where: str) -> dict[str, Any]:
    """Return `value` if it is an object whose values are all of `kind`; else raise UserError."""
    for name, item in expect(value, dict, where).items():
        expect(item, kind, f"{where}[{name!r}]")
    return dict(value)


def expect_list(value: Any, kind: type, length: int, where: str) -> list[Any]:
    """Return `value` if it is a list of `length` values of `kind`; else raise UserError."""
    if len(expect(value, list, where)) != length:
        reject(where, f"has {len(value)} values, not {length}")
    for i, item in enumerate(value):
        expect(item, kind, f"{where}[{i}]")
    return list(value)
