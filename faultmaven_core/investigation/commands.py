"""What can be asked of an investigation, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases.commands import CaseView


@dataclass(frozen=True, slots=True)
class Investigate:
    """Analyse a case's evidence.

    Times are epoch seconds (UTC): the incident lies between `since` and `until`, or within an hour `around` one moment.
    `fast` samples large logs instead of reading every line. `ignored` are rules for broken invariants that are known
    and accepted: a check's id, or `check kind namespace/name`.
    """

    case_id: str
    question: str = ""
    since: float | None = None
    until: float | None = None
    around: float | None = None
    fast: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Investigated:
    """The case afterwards, and its new record."""

    case: CaseView
    record: RcaRecord


@dataclass(frozen=True, slots=True)
class RenderReport:
    """A report of the last record. form: md | html | json; secrets are masked unless `redact` is False."""

    case_id: str
    form: str = "md"
    redact: bool = True


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A report as text."""

    form: str
    text: str
