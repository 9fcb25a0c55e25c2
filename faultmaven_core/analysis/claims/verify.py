"""The claim verifier: is a sentence true of the bytes it cites? It trusts no status and no kind that anyone states.

Only two sorts of sentences can be verified: a quote that stands at its citation (observed), and a sentence of a computed
form that the cited bytes give again, word for word. Everything else is unverified, however plausible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from faultmaven_core.analysis.claims.citations import Cited, Evidence, check_all
from faultmaven_core.analysis.claims.computed import derived
from faultmaven_core.analysis.claims.quote import Standing, readings, standing
from faultmaven_core.analysis.record import Citation
from faultmaven_core.analysis.redaction.placeholders import PLACEHOLDER, unnumbered
from faultmaven_core.analysis.redaction.redactor import Redactor


class Status(StrEnum):
    """What the evidence says of a claim."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A status, and the sentence why."""

    status: Status
    reason: str


def verify(text: str, citations: Sequence[Citation], evidence: Evidence, kind: str = "") -> Judgement:
    """Judge one claim. An inferred one stays unverified: a "because" cannot stand in a file."""
    if kind == "inferred":
        return Judgement(Status.UNVERIFIED, "a conclusion, shown with what it rests on")
    cited = check_all(citations, evidence)
    if isinstance(cited, str):
        return Judgement(Status.UNVERIFIED, cited)
    return judge(text, cited)


def judge(text: str, cited: Sequence[Cited]) -> Judgement:
    """Judge a claim whose citations are known to be true."""
    found = {_quoted(text, part) for part in cited}
    if Standing.STANDS in found:
        return Judgement(Status.VERIFIED, "it stands word for word where it is cited")
    computed, sentence = derived(text, cited)
    if sentence is not None:
        if sentence == text:
            return Judgement(Status.VERIFIED, "the cited bytes give the same sentence")
        return Judgement(Status.CONTRADICTED, f"the cited bytes give: {sentence}")
    if Standing.DENIED in found:
        return Judgement(Status.CONTRADICTED, "the cited lines say the opposite")
    reason = "the cited bytes do not give this sentence" if computed else "it does not stand where it is cited"
    return Judgement(Status.UNVERIFIED, reason)


def _quoted(text: str, part: Cited) -> Standing:
    """A placeholder in the text stands for a secret of its kind in the cited bytes, and for nothing else."""
    if not PLACEHOLDER.search(text):
        return standing(text, part.text, part.before, part.after)
    redactor = Redactor()
    redactor.learn(part.text)
    wanted = unnumbered(text)
    found = {standing(wanted, unnumbered(redactor.mask(reading))) for reading in readings(part.text)}
    return next((known for known in Standing if known in found), Standing.MISSING)
