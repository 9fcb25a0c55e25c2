"""Citations against the bytes they speak of; what a record says of them counts for nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from faultmaven_core.analysis.record import Citation

_BLOCK = 1 << 20

AROUND = 64
"""Bytes of context on each side of a citation: a quote must not begin right behind the word that denies it."""


class Content(Protocol):
    """Bytes of any size: `bytes`, or a file mapped into memory."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, part: slice, /) -> bytes:
        """Some of them."""
        ...


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file (or archive member) as it really is: the name it was found under, and its unpacked content."""

    name: str
    content: Content


Evidence = Mapping[str, EvidenceFile]
"""Files by the sha256 of their content; a compressed file may also stand under that of its packed bytes."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation that is true: the text that stands there, what stands around it on its lines, and all of its file."""

    citation: Citation
    text: str
    before: str
    after: str
    read: Callable[[int, int], bytes]


def digest_of(text: str) -> str:
    """A digest as it is compared: without its algorithm, in lower case."""
    return text.removeprefix("sha256:").lower()


def check(citation: Citation, evidence: Evidence) -> Cited | str:
    """What the citation quotes, or the sentence why it is not true."""
    file = evidence.get(digest_of(citation.sha256))
    if file is None:
        return f"no file of the evidence has the digest that is cited for {citation.file}"
    start, end = citation.bytes
    if not 0 <= start < end <= len(file.content):
        return f"bytes {start} to {end} are not inside {file.name}"
    quoted = file.content[start:end]
    if hashlib.sha256(quoted).hexdigest() != digest_of(citation.text_sha256):
        return f"bytes {start} to {end} of {file.name} are not what was cited"
    first = _line_feeds(file.content, start) + 1
    last = first + quoted.count(b"\n", 0, len(quoted) - 1)
    if citation.lines != (first, last):
        return f"bytes {start} to {end} of {file.name} stand on lines {first} to {last}, not {citation.lines}"
    near = (file.content[max(0, start - AROUND) : start], file.content[end : end + AROUND])
    return cited(citation, quoted, *near, lambda a, b: file.content[a:b])


def cited(citation: Citation, quoted: bytes, before: bytes, after: bytes, read: Callable[[int, int], bytes]) -> Cited:
    """A citation whose bytes are known, with the rest of its first and last line out of the bytes next to it."""
    around = (before.rpartition(b"\n")[2], quoted, after.partition(b"\n")[0])
    before_text, text, after_text = (part.decode("utf-8", "replace") for part in around)
    return Cited(citation, text, before_text, after_text, read)


def check_all(citations: Sequence[Citation], evidence: Evidence) -> Sequence[Cited] | str:
    """All of them quoted, or the sentence why the first wrong one is not true. No citation is no proof."""
    if not citations:
        return "nothing is cited"
    found = []
    for citation in citations:
        known = check(citation, evidence)
        if isinstance(known, str):
            return known
        found.append(known)
    return found


def _line_feeds(content: Content, end: int) -> int:
    return sum(content[at : min(at + _BLOCK, end)].count(b"\n") for at in range(0, end, _BLOCK))
