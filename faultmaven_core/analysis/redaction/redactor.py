"""A text without its secrets: each becomes a placeholder that is the same wherever the same secret stands."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.redaction.detectors import SECRETS, Detector
from faultmaven_core.analysis.redaction.personal import ADDRESSES, PERSONAL
from faultmaven_core.analysis.redaction.placeholders import PLACEHOLDER, placeholder

LONG_VALUE = 64
"""Characters; no name of a secret is longer."""

MIN_KNOWN = 6
"""Characters from which a known secret is masked wherever it stands; shorter ones would tear holes into words."""

_SIGNS = re.compile(r"\W")
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,.\"'-]*")
_ANY_KEY = re.compile(r"[A-Za-z0-9+/]{16}")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """Something to mask: characters `start` to `end` (half-open) of a text."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with placeholders, and where in the original they stand."""

    text: str
    spans: tuple[Found, ...]


def detect(text: str, *, addresses: bool = False) -> tuple[Found, ...]:
    """Secrets and personal data in a text, in order, without overlaps; of two that overlap the union is masked."""
    found = [*_private_keys(text)]
    for detector in (*SECRETS, *PERSONAL, *(ADDRESSES if addresses else ())):
        found.extend(_matches(detector, text))
    return tuple(one for one in _merged(found) if not _masked_before(text, one))


def _masked_before(text: str, found: Found) -> bool:
    """Whether what was found is (a part of) a placeholder: a redacted text is not redacted again."""
    near = text[max(0, found.start - 2) : found.end + 1]
    return "redacted:" in near and len(_SIGNS.sub("", PLACEHOLDER.sub("", near))) < MIN_KNOWN


def _private_keys(text: str) -> Iterator[Found]:
    at = 0
    ends = [end.span() for end in _END.finditer(text)]
    while begin := _BEGIN.search(text, at):
        start = begin.end()
        index = bisect_left(ends, (start, start))
        body = _BODY.match(text, start)
        last, at = ends[index] if index < len(ends) else (body.end() if body else start,) * 2
        if _ANY_KEY.search(text, start, last):
            yield Found(begin.start(), at, "private-key")
        at = max(at, start)


def _matches(detector: Detector, text: str) -> Iterator[Found]:
    at = 0
    while match := detector.pattern.search(text, at):
        start, end = match.span("secret")
        if detector.accept(match):
            yield Found(start, end, detector.kind)
            at = end
        elif start > match.start() and end - start > LONG_VALUE:
            at = start + (end - start) // 2  # half of it each time: hostile text must not be read again at every place
        else:
            # a refused value may itself be the name in front of the next one
            at = start if start > match.start() else end


def _merged(found: Sequence[Found]) -> tuple[Found, ...]:
    kept: list[Found] = []
    for one in sorted(found):
        if kept and one.start < kept[-1].end:
            kept[-1] = Found(kept[-1].start, max(kept[-1].end, one.end), kept[-1].kind)
        else:
            kept.append(one)
    return tuple(kept)


def redact(text: str) -> Redacted:
    """One text by itself."""
    return Redactor().redact(text)


class Redactor:
    """Masks the texts of one case. A secret that it has met once is masked wherever it stands afterwards."""

    def __init__(self, *, addresses: bool = False) -> None:
        self._addresses = addresses
        self._numbers: dict[tuple[str, str], int] = {}
        self._known: dict[str, str] = {}
        self._any_known: re.Pattern[str] | None = None

    def learn(self, text: str) -> None:
        """Meet the secrets of a text whose context tells them, before parts of it are masked."""
        self._meet(text, detect(text, addresses=self._addresses))

    def redact(self, text: str) -> Redacted:
        """The text with placeholders for what it shows, and for every known secret in it."""
        found = detect(text, addresses=self._addresses)
        self._meet(text, found)
        if self._any_known is not None:
            known = [Found(*m.span(), self._known[m.group()]) for m in self._any_known.finditer(text)]
            found = _merged([*found, *known])
        parts, at = [], 0
        for one in found:
            parts += [text[at : one.start], self._placeholder(one.kind, text[one.start : one.end])]
            at = one.end
        return Redacted("".join([*parts, text[at:]]), found)

    def mask(self, text: str) -> str:
        """The text with placeholders."""
        return self.redact(text).text

    def _meet(self, text: str, found: Sequence[Found]) -> None:
        new = {text[one.start : one.end]: one.kind for one in found if one.end - one.start >= MIN_KNOWN}
        if not new.keys() <= self._known.keys():
            self._known = {**new, **self._known}
            ordered = sorted(self._known, key=lambda value: (-len(value), value))
            self._any_known = re.compile("|".join(re.escape(value) for value in ordered))

    def _placeholder(self, kind: str, value: str) -> str:
        number = self._numbers.setdefault((kind, value), 1 + sum(known == kind for known, _ in self._numbers))
        return placeholder(kind, number)
