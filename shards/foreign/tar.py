"""The files in a stranger's tar: what they are called and where they lie.

Only headers are read, and an allow-list decides: plain files of plain names and known endings,
and the pax records that go with them. Python's tarfile also follows links, sparse maps and sizes
in pax records, and has hung on crafted ones (CVE-2019-20907, CVE-2025-8194).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from shards.errors import UserError

BLOCK = 512
PICTURES, LABELS = (".png", ".jpg", ".jpeg"), (".txt", ".cls", ".json")
MAX_BYTES = 1 << 24  # of a picture or a label
_MAX_NOTE = 1 << 16  # bytes of a pax header or a long name
_MAX_MEMBERS = 1_000_000

_FILES, _FOLDER, _PAX, _GLOBAL_PAX, _LONG_NAME = (b"0", b"\0"), b"5", b"x", b"g", b"L"
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}
_PAX_NOTES = re.compile(
    r"path|[amc]time|[ug]id|[ug]name|comment|LIBARCHIVE\.creationtime"
    r"|(SCHILY|LIBARCHIVE)\.xattr\..*|SCHILY\.(dev|ino|nlink|fflags|acl\..*)",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Member:
    """A file in a tar: its name, and where its bytes start and how many they are."""

    name: str
    start: int
    size: int

    @property
    def ending(self) -> str:
        """The part of the name from its last point on, in small letters, as '.png'."""
        return Path(self.name).suffix.lower()

    @property
    def key(self) -> str:
        """The name without its ending."""
        return self.name.removesuffix(Path(self.name).suffix)


@dataclass
class Contents:
    """The pictures and labels of a tar, how many files were left unread, and where it is damaged.

    damage: what is wrong with the tar, if anything; nothing after that place was looked at.
    """

    members: list[Member] = field(default_factory=list)
    unread: int = 0
    damage: str | None = None


def read_contents(path: Path, ignore: Sequence[str] = (), name: str = "") -> Contents:
    """List the files of the tar `path`; those whose names end in one of `ignore` stay unread.

    name: of the tar, for people, where it is not `path`. Raises UserError, naming the member, for
    anything that is no plain file with a plain name, a known ending and a size of at most
    MAX_BYTES, and where `path` is no tar at all.
    """
    contents, where = Contents(), name or str(path)
    with path.open("rb") as file:
        try:
            for member in _members(where, file):
                if member.name.endswith(tuple(ignore)):
                    contents.unread += 1
                else:
                    _check_kind(where, member)
                    contents.members.append(member)
                if len(contents.members) + contents.unread > _MAX_MEMBERS:
                    raise UserError(f"{where} has over {_MAX_MEMBERS:,} files: split it")
        except _DamageError as damage:
            contents.damage = str(damage)
    return contents


class _DamageError(Exception):
    """The tar cannot be followed any further."""


def _members(where: str, file: BinaryIO) -> Iterator[Member]:
    size = file.seek(0, 2)
    at, long_name = 0, None
    while True:
        file.seek(at)
        header = file.read(BLOCK)
        if not any(header):
            return _check_end(file, at, size)
        if not _is_header(header):
            if at == 0:
                raise UserError(f"{where} is no tar (of compressed ones, .gz is read)")
            raise _DamageError(f"its header at byte {at:,} is damaged, nothing after it is read")
        name, kind = long_name or _name(header), header[156:157]
        member = Member(name, at + BLOCK, _size(where, name, header[124:136]))
        at = member.start + -(-member.size // BLOCK) * BLOCK
        if kind in (_PAX, _GLOBAL_PAX, _LONG_NAME):
            note = _note(where, file, member)
            given = _text(note.rstrip(b"\0")) if kind == _LONG_NAME else _pax_path(where, note)
            if given and kind == _GLOBAL_PAX:
                _refuse(where, given, "is one name for all files")
            long_name = given or long_name
            continue
        long_name = None
        _check_name(where, name)
        if kind == _FOLDER or (kind in _FILES and name.endswith("/")):
            at = member.start
            continue
        if kind not in _FILES:
            _refuse(where, name, f"is {_KINDS.get(kind, f'of the unknown kind {kind!r}')}")
        if member.start + member.size > size:
            _check_kind(where, member)
            raise _DamageError(f"it is cut off within {name!r}")
        yield Member(name.removeprefix("./"), member.start, member.size)


def _check_end(file: BinaryIO, at: int, size: int) -> None:
    if size - at < 2 * BLOCK:
        raise _DamageError("it has no end: files after its last one may be missing")
    file.seek(at)
    while data := file.read(1 << 20):
        if any(data):
            raise _DamageError("it goes on after its end: what follows is not read")


def _is_header(header: bytes) -> bool:
    if len(header) < BLOCK:
        return False
    text = header[148:156].strip(b" \0")
    total = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    return re.fullmatch(rb"[0-7]+", text) is not None and int(text, 8) == total


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and (prefix := header[345:500].partition(b"\0")[0]):
        name = prefix + b"/" + name
    return _text(name)


def _size(where: str, name: str, data: bytes) -> int:
    if data[0] == 0x80:  # GNU: the other bytes are a binary number
        return int.from_bytes(data[1:])
    text = data.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", text):
        _refuse(where, name, f"has the size {data!r}, which is no number")
    return int(text or b"0", 8)


def _note(where: str, file: BinaryIO, member: Member) -> bytes:
    if member.size > _MAX_NOTE:
        _refuse(where, member.name, f"is a header of {member.size:,} bytes, over {_MAX_NOTE:,}")
    note = file.read(member.size)
    if len(note) < member.size:
        raise _DamageError(f"it is cut off within the header {member.name!r}")
    return note


def _pax_path(where: str, note: bytes) -> str | None:
    """Return the path in a pax header, if there is one; UserError for records not allowed."""
    found = None
    while note:
        digits, space, _ = note.partition(b" ")
        length = int(digits) if re.fullmatch(rb"[0-9]{1,6}", digits) else 0
        length = length if length <= len(note) else 0
        record, note = note[len(digits + space) : length], note[length:]
        name, equals, value = record.partition(b"=")
        if not length or not equals or not value.endswith(b"\n"):
            _refuse(where, "pax header", f"holds {record[:40]!r}, which is no record")
        if not _PAX_NOTES.fullmatch(_text(name)):
            _refuse(where, "pax header", f"holds the record {_text(name)!r}, which is not allowed")
        if name == b"path":
            found = _text(value[:-1])
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _check_name(where: str, name: str) -> None:
    if not name or _CONTROL.search(name):
        _refuse(where, name, "has no name or control characters in it")
    if name.startswith("/") or "\\" in name or ":" in name[:2] or ".." in name.split("/"):
        _refuse(where, name, "leads out of the folder")


def _check_kind(where: str, member: Member) -> None:
    known = (*PICTURES, *LABELS)
    if member.ending not in known:
        raise UserError(
            f"{where}: {member.name!r} is none of {', '.join(known)}: nothing of it is read; take "
            f"it out, or leave such files unread by --ignore {member.ending or member.name}"
        )
    if member.size > MAX_BYTES:
        _refuse(where, member.name, f"has {member.size:,} bytes, over {MAX_BYTES:,}")


def _refuse(where: str, name: str, fault: str) -> NoReturn:
    raise UserError(f"{where}: {name!r} {fault}: nothing of it is read; take it out")
