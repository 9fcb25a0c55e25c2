"""Tar archives as a stream of members, with nothing believed: no links, no devices, bounded headers.

The standard library parses each header block; its reader is not used, since it follows links between members and holds
extended headers of any size in memory.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from faultmaven_core.analysis.intake.limits import CHUNK

_BLOCK = 512
_MAX_HEADER = 64 << 10
_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_REFUSED = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


@dataclass(frozen=True, slots=True)
class TarEntry:
    """A regular file, whose content must be read before the next entry is asked for; or why an entry is refused."""

    name: str
    size: int
    content: Iterator[bytes]
    refusal: str = ""


def entries(stream: BinaryIO) -> Iterator[TarEntry]:
    """The members in order, folders left out. Raises EOFError where the archive is cut, OSError where it is damaged."""
    path, size, sparse = "", None, False
    while (block := stream.read(_BLOCK)) and any(block):
        if len(block) < _BLOCK:
            raise EOFError
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        except tarfile.HeaderError as error:
            raise OSError(str(error)) from error
        if header.type == tarfile.GNUTYPE_LONGNAME:
            path = _extended(stream, header.size).rstrip(b"\0").decode("utf-8", "replace")
        elif header.type == tarfile.XHDTYPE:
            records = _records(_extended(stream, header.size))
            sparse = sparse or any(key.startswith("GNU.sparse.") for key in records)
            path = records.get("path", path)
            size = int(records["size"]) if records.get("size", "").isdecimal() else size
        elif header.type in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            _extended(stream, header.size)
        else:
            header.type = tarfile.GNUTYPE_SPARSE if sparse else header.type
            yield from _entry(stream, header, path or header.name, header.size if size is None else size)
            path, size, sparse = "", None, False


def _entry(stream: BinaryIO, header: tarfile.TarInfo, name: str, size: int) -> Iterator[TarEntry]:
    content = _content(stream, size if header.type not in (tarfile.LNKTYPE, tarfile.SYMTYPE) else 0)
    if header.type in _REGULAR and not name.endswith("/"):
        yield TarEntry(name, size, content)
    elif header.type != tarfile.DIRTYPE and not name.endswith("/"):
        yield TarEntry(name, size, iter(()), f"it is {_REFUSED.get(header.type, 'of an unknown type')}")
    for _ in content:  # whatever the consumer left unread, so that the next header is found
        pass


def _content(stream: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = stream.read(min(left, CHUNK))
        if not chunk:
            raise EOFError
        left -= len(chunk)
        yield chunk
    padding = -size % _BLOCK
    if len(stream.read(padding)) < padding:
        raise EOFError


def _extended(stream: BinaryIO, size: int) -> bytes:
    if not 0 <= size <= _MAX_HEADER:
        raise OSError(f"an extended header claims {size:,} bytes")
    return b"".join(_content(stream, size))


def _records(data: bytes) -> dict[str, str]:
    """`LENGTH KEY=VALUE` records of a pax header; what does not parse is left out."""
    found: dict[str, str] = {}
    at = 0
    while (space := data.find(b" ", at, at + 12)) > at and data[at:space].isdigit():
        end = at + int(data[at:space])
        if end <= space:
            break
        key, _, value = data[space + 1 : end - 1].decode("utf-8", "replace").partition("=")
        found[key] = value
        at = end
    return found
