"""Zip archives, read through the central directory with its claims checked first."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from faultmaven_core.analysis.intake.limits import CHUNK
from faultmaven_core.shared.errors import TooLargeError

_MAX_DIRECTORY = 8 << 20
"""Bytes of the central directory; the library holds all of it as objects, five times that."""

_END = b"PK\x05\x06"
_END_SIZE = 22
_ZIP64 = b"PK\x06\x06"
_MAX_COMMENT = 0xFFFF
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_LINK = 0o120000
_REGULAR = 0o100000
_TYPE = 0o170000


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A member with its decompressed content, or why it is refused."""

    name: str
    packed: int
    content: Iterator[bytes]
    refusal: str = ""


def entries(stream: BinaryIO) -> Iterator[ZipEntry]:
    """The members in the order of the directory, folders left out.

    Raises EOFError where the directory is missing (cut off), OSError where it is damaged, TooLargeError where it is huge.
    """
    _check_directory(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, UnicodeError) as error:
        raise OSError(str(error)) from error
    with archive:
        infos = archive.infolist()
        overlapping = _overlapping(infos)
        seen: set[str] = set()
        for info in infos:
            if info.filename.endswith("/"):
                continue
            why = _refusal(info, duplicate=info.filename in seen, overlaps=info.header_offset in overlapping)
            seen.add(info.filename)
            yield ZipEntry(info.filename, info.compress_size, iter(()) if why else _content(archive, info), why)


def _check_directory(stream: BinaryIO) -> None:
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SIZE - _MAX_COMMENT))
    tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise EOFError
    claimed = int.from_bytes(tail[at + 12 : at + 16], "little")
    # 0xFFFFFFFF says that the size stands in a zip64 record, right before the end record.
    if claimed == 0xFFFFFFFF:
        record = tail.rfind(_ZIP64)
        claimed = int.from_bytes(tail[record + 40 : record + 48], "little") if record >= 0 else claimed
    if claimed > _MAX_DIRECTORY:
        raise TooLargeError(f"its directory claims {claimed:,} bytes")
    stream.seek(0)


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Offsets of entries that share bytes with another one: how the densest zip bombs are made."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    found: set[int] = set()
    reach, owner = -1, -1
    for info in ordered:
        if info.header_offset < reach:
            found |= {owner, info.header_offset}
        end = info.header_offset + _LOCAL_HEADER + len(info.filename.encode("utf-8", "replace")) + info.compress_size
        if end > reach:
            reach, owner = end, info.header_offset
    return found


def _refusal(info: zipfile.ZipInfo, *, duplicate: bool, overlaps: bool) -> str:
    mode = (info.external_attr >> 16) & _TYPE
    if mode == _LINK:
        return "it is a symbolic link"
    if mode not in (0, _REGULAR):
        return "it is a device or another special file"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted; unpack it with its password and give the files"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "its compression method is not read; repack the archive with deflate"
    if overlaps:
        return "it shares bytes with another entry, as a zip bomb does"
    return "another entry has the same name" if duplicate else ""


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as member:
            while chunk := member.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, ValueError) as error:
        raise OSError(str(error)) from error
