"""The claim ledger: what a record says, each sentence with the lines it rests on, judged before it is written down."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from faultmaven_core.analysis.claims.citations import AROUND, Cited, cited
from faultmaven_core.analysis.claims.computed import change_sentence
from faultmaven_core.analysis.claims.excerpt import MAX_QUOTE, NARROW_ABOVE, excerpt
from faultmaven_core.analysis.claims.metric_object import journey, metric_object, presented
from faultmaven_core.analysis.claims.quote import normalised
from faultmaven_core.analysis.claims.readings import readings_of
from faultmaven_core.analysis.claims.verify import judge
from faultmaven_core.analysis.model import Fact, Mode, Span
from faultmaven_core.analysis.record import Citation, ClaimView

ReadSpan = Callable[[Span], bytes]
"""The bytes that stand at a span, fewer where it reaches beyond the end. Raises NotFoundError where the source is gone, CorruptDataError where it changed."""


class Ledger:
    """Collects claims in the order in which they are made; the same sentence about the same lines is one claim.

    Every method that makes a claim gives its id. Whether it is verified is not the caller's choice: the verifier judges it.
    """

    def __init__(self, names: Mapping[str, str], read: ReadSpan) -> None:
        self._names = names
        self._read = read
        self._claims: dict[tuple[str, tuple[Citation, ...]], ClaimView] = {}

    @property
    def claims(self) -> tuple[ClaimView, ...]:
        """All claims so far."""
        return tuple(self._claims.values())

    def cite(self, span: Span) -> Citation:
        """A citation of a span, with the digest of what stands there."""
        return self._cited(span).citation

    def observed(self, fact: Fact, span: Span | None = None) -> str:
        """Quote the lines of a fact (the first of its spans where none is given), or the part that holds its value.

        A metric that changed is told as a change where its object can be found: a list of numbers is no proof to a reader.
        """
        if span is None and fact.mode is Mode.METRIC and (told := self._metric(fact)):
            return told
        key = fact.attribute.rpartition(".")[2]
        return self._quote(span or fact.spans[0], (key, "" if fact.value is None else str(fact.value)))

    def quote(self, span: Span, text: str) -> str:
        """Quote the lines of a span; where they are long, the part around a text that stands there."""
        return self._quote(span, ("", text))

    def computed_change(self, metric: str, began: str, ended: str, spans: Sequence[Span]) -> str | None:
        """From which value to which a metric went between two moments, both written as in the source.

        One span: the JSON object of a metric; several: the header's line, then rows. None where the lines do not give it.
        """
        parts = [self._cited(span) for span in spans]
        return self._computed(change_sentence(metric, began, ended, parts), parts)

    def _metric(self, fact: Fact) -> str | None:
        span = fact.spans[0]
        found = metric_object(self._bytes(span.sha256), span)
        if found is None:
            return None
        where, value = found
        began, ended = journey(readings_of(value) or {}, str(fact.value))
        return self.computed_change(presented(value, fact), began, ended, [where])

    def _quote(self, span: Span, about: tuple[str, str]) -> str:
        part = self._cited(span)
        text = normalised(part.text)
        if len(text) > MAX_QUOTE:
            start, end = excerpt(part.text, *about)
            text = normalised(part.text[start:end])
            if span.end - span.start > NARROW_ABOVE:
                part = self._narrowed(part, start, end)
        return self._add(text, "observed", str(judge(text, [part]).status), (part.citation,))

    def _computed(self, sentence: str | None, parts: Sequence[Cited]) -> str | None:
        if sentence is None:
            return None
        return self._add(sentence, "computed", str(judge(sentence, parts).status), tuple(p.citation for p in parts))

    def _cited(self, span: Span) -> Cited:
        """The citation of a span, with what stands around it, as the verifier will see it."""
        start = max(0, span.start - AROUND)
        near = self._read(Span(span.sha256, start, span.end + AROUND, 0, 0))
        quoted = near[span.start - start : span.end - start]
        citation = self._citation(span, quoted)
        return cited(citation, quoted, near[: span.start - start], near[span.end - start :], self._bytes(span.sha256))

    def _narrowed(self, part: Cited, start: int, end: int) -> Cited:
        """The citation of characters `start` to `end` alone; all of it where its bytes and characters do not match up."""
        outer = part.citation
        before, inner = part.text[:start], part.text[start:end]
        at, line = outer.bytes[0] + len(before.encode()), outer.lines[0] + before.count("\n")
        span = Span(outer.sha256, at, at + len(inner.encode()), line, line + inner.count("\n"))
        quoted = part.read(span.start, span.end)
        if quoted != inner.encode():
            return part
        around = (before.encode(), part.text[end:].encode())
        return cited(self._citation(span, quoted), quoted, *around, part.read)

    def _citation(self, span: Span, quoted: bytes) -> Citation:
        # where a span ends follows from its bytes: an extractor's slip must not make a true claim false
        last_line = span.first_line + quoted.count(b"\n", 0, len(quoted) - 1)
        return Citation(
            self._names[span.sha256],
            span.sha256,
            (span.start, span.end),
            (span.first_line, last_line),
            hashlib.sha256(quoted).hexdigest(),
        )

    def _bytes(self, sha256: str) -> Callable[[int, int], bytes]:
        return lambda start, end: self._read(Span(sha256, start, end, 0, 0)) if start < end else b""

    def _add(self, text: str, kind: str, status: str, citations: tuple[Citation, ...]) -> str:
        key = (text, citations)
        if key not in self._claims:
            self._claims[key] = ClaimView(f"c{len(self._claims) + 1}", text, kind, status, citations)
        return self._claims[key].id
