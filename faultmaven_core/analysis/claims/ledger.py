"""The claim ledger: what a record says, each sentence with the lines it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from faultmaven_core.analysis.model import Fact, Span
from faultmaven_core.analysis.record import Citation, ClaimView

ReadSpan = Callable[[Span], bytes]
"""The bytes that stand at a span. Raises NotFoundError where the source is gone, CorruptDataError where it changed."""


class Ledger:
    """Collects claims in the order in which they are made; the same quote is one claim."""

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
        text = self._read(span)
        return Citation(
            self._names[span.sha256],
            span.sha256,
            (span.start, span.end),
            (span.first_line, span.last_line),
            hashlib.sha256(text).hexdigest(),
        )

    def observed(self, fact: Fact) -> str:
        """The id of the claim that quotes a fact's first span word for word."""
        span = fact.spans[0]
        text = " ".join(self._read(span).decode("utf-8", "replace").split())
        return self._add(text, "observed", "verified", (self.cite(span),))

    def inferred(self, text: str, facts: tuple[Fact, ...]) -> str:
        """The id of a claim that says why; it shows what it rests on and is never verified."""
        return self._add(text, "inferred", "unverified", tuple(self.cite(fact.spans[0]) for fact in facts[:5]))

    def _add(self, text: str, kind: str, status: str, citations: tuple[Citation, ...]) -> str:
        key = (text, citations)
        if key not in self._claims:
            self._claims[key] = ClaimView(f"c{len(self._claims) + 1}", text, kind, status, citations)
        return self._claims[key].id
