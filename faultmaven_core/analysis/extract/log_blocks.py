"""A stretch of a stream in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 1 << 20
_SAMPLES = 12
_SAMPLE_BYTES = 16 << 10
MAX_SAMPLE_LINE = 2000


def blocks(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[int, bytes, bool]]:
    """(offset, bytes, whether it begins a line) of the lines that begin in [start, end).

    A block ends at a line feed, but for the stream's last line and for lines longer than a block, which come in parts.
    """
    at = _line_begin(stream, start)
    stream.seek(at)
    begins = True
    rest = b""
    while at < end or not begins:
        data = rest + stream.read(BLOCK)
        if not data:
            return
        cut = _cut(data, at, end, begins=begins)
        rest = data[cut:]
        yield at, data[:cut], begins
        at += cut
        begins = data[cut - 1 : cut] == b"\n"


def _cut(data: bytes, at: int, end: int, *, begins: bool) -> int:
    """Where to end a block of the data that begins at offset `at`."""
    if not begins:
        return data.find(b"\n") + 1 or len(data)
    if at + len(data) > end:
        # The last line that begins before `end` may run over it.
        line_end = data.find(b"\n", max(0, end - 1 - at))
        if line_end >= 0:
            return line_end + 1
    return data.rfind(b"\n") + 1 or len(data)


def _line_begin(stream: BinaryIO, start: int) -> int:
    """The first offset from `start` on where a line begins."""
    if start == 0:
        return 0
    stream.seek(start - 1)
    at = start - 1
    while data := stream.read(BLOCK):
        found = data.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(data)
    return at


def sample_lines(stream: BinaryIO) -> list[str]:
    """Lines from the begin and from evenly spread places of the whole stream; the same for whoever reads any part of it."""
    size = stream.seek(0, 2)
    places = range(0, size, max(_SAMPLE_BYTES, size // _SAMPLES)) if size else range(0)
    lines: list[str] = []
    for place in places:
        stream.seek(place)
        data = stream.read(_SAMPLE_BYTES)
        parts = data.split(b"\n")
        whole = parts[0 if place == 0 else 1 : None if place + len(data) >= size else -1]
        lines += [part[:MAX_SAMPLE_LINE].decode("utf-8", "replace").rstrip("\r") for part in whole or parts[:1]]
    return lines
