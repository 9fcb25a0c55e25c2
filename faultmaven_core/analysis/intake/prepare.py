"""From a file to readable content: containers opened, and for each content what it is or why it cannot be read."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import BinaryIO

from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.intake.forms import HEAD, foreign, form_of
from faultmaven_core.analysis.intake.provenance import KIND as PROVENANCE
from faultmaven_core.analysis.intake.provenance import MAX_BYTES, Entry, entries_of
from faultmaven_core.analysis.intake.sniff import sniff
from faultmaven_core.analysis.intake.unpack import Content, Unpacker
from faultmaven_core.ports.extraction_runner import UNREADABLE

EMPTY = "empty"
BINARY = "binary"
CLOSED = (UNREADABLE, EMPTY, BINARY, PROVENANCE)
"""Kinds that no extractor reads."""

MOSTLY_BINARY = 0.1
"""Share of control bytes in the head from which a content is no text; a log with a torn block stays one."""

_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\b\x1b") + b"\x7f"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A content and what it is. `key` is empty where it is the file itself, `sha256` where it was not yet computed."""

    name: str
    members: tuple[str, ...]
    key: str
    sha256: str
    size: int
    kind: str
    problems: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


def prepare(name: str, stream: BinaryIO, unpacker: Unpacker) -> Generator[Prepared, None, None]:
    """What stands in a file: itself, or the contents of the container that it is."""
    size = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(0)
    if not form_of(head):
        yield _told(Content(name, (), "", "", size), head, stream)
        return
    count = 0
    for content in unpacker.unpack(name, stream):
        count += 1
        if not content.key:
            yield Prepared(content.name, content.members, "", "", 0, UNREADABLE, (content.problem,))
            continue
        with unpacker.scratch.open(content.key) as inner:
            head = inner.read(HEAD)
            inner.seek(0)
            yield _told(content, head, inner)
    if not count:
        yield Prepared(name, (), "", "", 0, EMPTY, (f"{name} is an archive without files; check how it was made.",))


def _told(content: Content, head: bytes, stream: BinaryIO) -> Prepared:
    entries = None
    if content.size <= MAX_BYTES and content.name.endswith("sources.json"):
        entries = entries_of(content.name, stream.read(MAX_BYTES + 1))
    kind, why = (PROVENANCE, "") if entries is not None else _kind(content, head)
    problems = tuple(sentence for sentence in (content.problem, why) if sentence)
    return Prepared(
        content.name, content.members, content.key, content.sha256, content.size, kind, problems, entries or ()
    )


def _kind(content: Content, head: bytes) -> tuple[str, str]:
    """The kind, and a sentence where the person should know something about it."""
    name = content.name
    if not content.size:
        return EMPTY, f"{name} is empty (0 bytes); collect it again if it should hold something."
    if packed := foreign(head):
        return UNREADABLE, f"{name} is a {packed} archive, which is not read; unpack it and give the files."
    if head.startswith(_UTF16) or _looks_like_utf16(head):
        hint = "convert it with `iconv -f UTF-16 -t UTF-8` and give that"
        return UNREADABLE, f"{name} is text in UTF-16, which is not read; {hint}."
    if len(head) - len(head.translate(None, _CONTROL)) > MOSTLY_BINARY * len(head):
        return BINARY, f"{name} is binary ({content.size:,} bytes), no text was read; give a text export of it."
    guess = sniff(SourceText(_whole_lines(head)).passage())
    if not guess.suggestions:
        return guess.kind, ""
    others = " or ".join(guess.suggestions)
    return (
        guess.kind,
        f"{name} was read as {guess.kind}, which is not certain; it may be {others} (`fm evidence classify`).",
    )


def _looks_like_utf16(head: bytes) -> bool:
    """Text of mostly ASCII letters in UTF-16 has a NUL in every other place, and only there."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    return len(head) >= 8 and max(even, odd) > 0.45 * len(head) and min(even, odd) < 0.05 * len(head)


def _whole_lines(head: bytes) -> bytes:
    end = head.rfind(b"\n")
    return head[: end + 1] if end >= 0 and len(head) >= HEAD else head
