"""What an answer is made of: the case, its last record, its evidence. Nothing else is ever told as a fact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from faultmaven_core.analysis.record import Citation, HypothesisView, RcaRecord
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.evidence.commands import EvidenceView
from faultmaven_core.investigation.markdown import code


@dataclass(frozen=True, slots=True)
class Known:
    """`record` is without secrets; None before the first investigation."""

    case: CaseView
    record: RcaRecord | None
    evidence: tuple[EvidenceView, ...]

    @property
    def leading(self) -> HypothesisView | None:
        """The explanation that the root cause is."""
        every = self.record.hypotheses if self.record else ()
        return next((one for one in every if one.status == "leading"), None)

    @property
    def open(self) -> tuple[HypothesisView, ...]:
        """Explanations that the evidence neither bears out nor rules out."""
        return tuple(one for one in self.record.hypotheses if one.status == "open") if self.record else ()

    def citations(self, claims: Iterable[str]) -> tuple[Citation, ...]:
        """Where claims stand, by their ids; each place once."""
        known = {claim.id: claim for claim in self.record.claims} if self.record else {}
        found = [citation for name in claims if name in known for citation in known[name].citations]
        return tuple({(one.file, one.lines): one for one in found}.values())


def files(names: Iterable[str], most: int = 5) -> str:
    """File names in a sentence."""
    told = list(names)
    rest = f" and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(map(code, told[:most])) + rest
