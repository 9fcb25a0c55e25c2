"""gzip as a stream in pieces of bounded size, which gives up nothing that can be had before a damage."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from faultmaven_core.analysis.intake.limits import CHUNK

if TYPE_CHECKING:
    from zlib import _Decompress  # the type has a name in the stubs only

_GZIP = 31
"""zlib's window bits for a gzip header and a checked sum."""


def gunzip(stream: BinaryIO) -> Iterator[bytes]:
    """The content of all members. Raises EOFError where it is cut off, zlib.error where it is damaged or goes on as junk."""
    packed = stream.read(CHUNK)
    while packed:
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            packed = packed or stream.read(CHUNK)
            before = member.copy()
            try:
                chunk = member.decompress(packed, CHUNK)
            except zlib.error:
                yield from _salvage(before, packed)
                raise
            if chunk:
                yield chunk
            elif not packed and not member.eof:
                raise EOFError
            packed = member.unconsumed_tail
        # Tapes and block devices pad with zeros.
        packed = member.unused_data.lstrip(b"\0") or stream.read(CHUNK).lstrip(b"\0")


def _salvage(member: _Decompress, packed: bytes) -> Iterator[bytes]:
    """What still comes out before the byte that is wrong."""
    for at in range(len(packed)):
        try:
            chunk = member.decompress(packed[at : at + 1])
        except zlib.error:
            return
        if chunk:
            yield chunk
