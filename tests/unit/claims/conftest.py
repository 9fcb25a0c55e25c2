"""Evidence in memory, for tests of claims: lines by number, a ledger over them, and the verifier's view of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from faultmaven_core.analysis.claims.citations import Evidence, EvidenceFile
from faultmaven_core.analysis.claims.ledger import Ledger
from faultmaven_core.analysis.claims.verify import Judgement, verify
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.model import Entity, Fact, Mode, Scalar, Span
from faultmaven_core.analysis.record import ClaimView


class Bench:
    """One file of evidence."""

    def __init__(self, text: str | bytes, name: str = "evidence.txt") -> None:
        data = text if isinstance(text, bytes) else text.encode()
        self.source = SourceText(data)
        self.evidence: Evidence = {hashlib.sha256(data).hexdigest(): EvidenceFile(name, data)}
        self.ledger = Ledger({self.source.sha256: name}, lambda span: data[span.start : span.end])

    def lines(self, first: int, last: int | None = None) -> Span:
        """The span of lines, counted from 1."""
        return self.source.span(first - 1, (last or first) - 1)

    def fact(self, attribute: str, value: Scalar, first: int = 1, last: int | None = None) -> Fact:
        """A fact of a pod that stands on these lines."""
        return Fact(Entity("pod", "web"), attribute, value, Mode.STATUS, (self.lines(first, last),))

    def claim(self, name: str | None) -> ClaimView:
        """A claim of the ledger by its id."""
        assert name is not None
        return next(claim for claim in self.ledger.claims if claim.id == name)

    def verdict(self, claim: ClaimView, text: str | None = None) -> Judgement:
        """What the verifier says of a claim, or of another text with its citations."""
        return verify(claim.text if text is None else text, claim.citations, self.evidence)


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes a file of evidence from its text."""
    return Bench
