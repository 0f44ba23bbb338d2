"""Tars made to do harm: refused by name before anything in them is decoded."""

import pickle
import re
import struct
import tarfile
import zlib
from pathlib import Path

import pytest

import shards.foreign.samples
from shards.errors import UserError
from shards.foreign.importing import import_tars
from shards.foreign.tar import MAX_BYTES, read_contents
from tests.faults.pickles import Bomb
from tests.faults.tars import drawing, png, write_members, write_tar

SOUND = {"a.png": png(drawing()), "a.txt": b"1"}


@pytest.fixture(autouse=True)
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shards.foreign.samples, "decode", lambda data: pytest.fail("it was decoded")
    )


def refused(tar: Path, tmp_path: Path, message: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=message):
        import_tars([tar], tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "name",
    ["../a.png", "/etc/cron.d/a.png", "b/../../a.txt", "..", "..\\a.png", "C:\\a.png", "C:a.png"],
)
@pytest.mark.parametrize("kind", ["ustar", "gnu", "pax"])
def test_paths_that_lead_away(tmp_path: Path, name: str, kind: str) -> None:
    long = f"{'x' * 120}/../{name}" if kind != "ustar" else name
    form = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
    tar = write_tar(tmp_path / "t.tar", SOUND | {long: b"x"}, format=form[kind])
    refused(tar, tmp_path, r"t\.tar: '.*' leads out of the folder: nothing of it is read")


@pytest.mark.parametrize("name", ["a\nb.png", "a\x1b[31m.png", "\x7f.png"])
def test_names_that_write_to_the_screen(tmp_path: Path, name: str) -> None:
    tar = write_tar(tmp_path / "t.tar", SOUND | {name: b"x"}, format=tarfile.USTAR_FORMAT)
    refused(tar, tmp_path, "has no name or control characters in it")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (tarfile.CONTTYPE, "of the unknown kind b'7'"),
        (b"V", "of the unknown kind b'V'"),
    ],
)
def test_what_is_no_plain_file(tmp_path: Path, kind: bytes, told: str) -> None:
    member = tarfile.TarInfo("a.png")
    member.type, member.linkname = kind, "/etc/passwd"
    refused(write_members(tmp_path / "t.tar", [member]), tmp_path, f"'a.png' is {told}: nothing")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"GNU.sparse.major": "1"}, "GNU.sparse.major"),
        ({"GNU.sparse.name": "b.png"}, "GNU.sparse.name"),
        ({"SCHILY.realsize": "99999999999"}, "SCHILY.realsize"),
        ({"size": "10000000000"}, "size"),
        ({"linkpath": "/etc/passwd"}, "linkpath"),
        ({"hdrcharset": "BINARY"}, "hdrcharset"),
    ],
)
def test_pax_records_that_change_what_a_file_is(tmp_path: Path, record: dict, told: str) -> None:
    member = tarfile.TarInfo("a.png")
    member.pax_headers = record
    tar = tmp_path / "t.tar"
    with tar.open("wb") as file:
        file.write(member.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
    refused(tar, tmp_path, f"holds the record '{told}', which is not allowed")


@pytest.mark.parametrize(
    "note", [b"0 path=a\n", b"99 path=a.png\n", b"-3 path=a\n", b"11 path", b"x" * 30]
)
def test_broken_pax_records(tmp_path: Path, note: bytes) -> None:
    member = tarfile.TarInfo("PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, len(note)
    refused(write_members(tmp_path / "t.tar", [member], note), tmp_path, "which is no record")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_headers_that_would_fill_the_memory(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("header")
    member.type, member.size = kind, 1 << 33
    tar = write_members(tmp_path / "t.tar", [member])
    refused(tar, tmp_path, "'header' is a header of 8,589,934,592 bytes, over 65,536")


def test_one_name_for_all(tmp_path: Path) -> None:
    member, note = tarfile.TarInfo("header"), b"14 path=a.png\n"
    member.type, member.size = tarfile.XGLTYPE, len(note)
    tar = write_members(tmp_path / "t.tar", [member], note)
    refused(tar, tmp_path, "'a.png' is one name for all files")


@pytest.mark.parametrize(
    "ending", [".pyd", ".pkl", ".pickle", ".pth", ".pt", ".npy", ".npz", ".so", ".gz", ""]
)
def test_what_others_would_unpickle_or_run(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tar = write_tar(tmp_path / "t.tar", SOUND | {f"a{ending}": pickle.dumps(Bomb())})
    refused(tar, tmp_path, rf"'a{ending}' is none of \.png.*: nothing of it is read; take it out")
    assert read_contents(tar, [f"a{ending}"]).unread == 1


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 8 << 30, 10 << 30, 1 << 62])
def test_a_declared_size_of_gigabytes(tmp_path: Path, size: int) -> None:
    member = tarfile.TarInfo("a.png")
    member.size = size
    tar = write_members(tmp_path / "t.tar", [member], SOUND["a.png"])
    refused(tar, tmp_path, f"'a.png' has {size:,} bytes, over 16,777,216")


@pytest.mark.parametrize("field", [b"\xff" * 12, b"-0000000010\0", b"0x10\0\0\0\0\0\0\0\0"])
def test_a_size_that_is_none(tmp_path: Path, field: bytes) -> None:
    header = bytearray(tarfile.TarInfo("a.png").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "t.tar").write_bytes(header + bytes(1024))
    refused(tmp_path / "t.tar", tmp_path, "which is no number")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


ZEROS = zlib.compress(bytes(1 << 26))


def bomb(width: int, height: int, *between: bytes) -> bytes:
    """A PNG of a few hundred kilobytes that is black and very large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    end = chunk(b"IDAT", ZEROS) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + end


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(50_000, 50_000), "exceeds limit of"),
        (bomb(16_384, 8_192), "exceeds limit of"),
        (bomb(4_096, 4_097), "the picture has 4096x4097 px, over 16,777,216"),
        (bomb((1 << 31) - 1, 1), "exceeds limit|px, over|cannot be decoded"),
        (bomb(0, 0), "cannot be decoded"),
        (
            bomb(128, 32, chunk(b"zTXt", b"a\0\0" + ZEROS)),
            "Decompressed data too large|cannot be decoded",
        ),
        (
            bomb(128, 32, chunk(b"iCCP", b"a\0\0" + ZEROS)),
            "nothing is drawn|cannot be decoded",
        ),
    ],
)
def test_png_bombs(
    tmp_path: Path, data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    tar = write_tar(tmp_path / "t.tar", SOUND | {"b.png": data, "b.txt": b"1"})
    report = import_tars([tar], tmp_path / "out")
    assert [refusal.key for refusal in report.refused] == ["b"]
    assert re.search(reason, report.refused[0].reason)
