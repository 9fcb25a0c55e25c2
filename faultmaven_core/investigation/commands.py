"""What can be asked of an investigation, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.analysis.record import CheckView, RcaRecord
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
class ReadGuidance:
    """What the organization knows about a case's last record, as of now.

    Knowledge is looked for in these scopes beside `global`, `personal` and the case's own.
    """

    case_id: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnowledgeCitation:
    """A passage of a document, from `start` to `end` (characters of its text), and why it is cited.

    `warning` is a sentence where the text should not be relied on: stale, a draft.
    """

    document_id: str
    title: str
    name: str
    scope: str
    headings: tuple[str, ...]
    start: int
    end: int
    text: str
    warning: str
    because: str


@dataclass(frozen=True, slots=True)
class CitedRemedy:
    """A remedy of the record, and passages on how it is done."""

    action: str
    citations: tuple[KnowledgeCitation, ...]


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A past case whose cause a person confirmed.

    `reasons` are sentences on what it has in common with this one; `checks` the commands and observations that its cause
    was to be confirmed by, `signs` what of its predictions was seen, `remedies` what was to be done.
    """

    case_id: str
    title: str
    cause: str
    status: str
    reasons: tuple[str, ...]
    checks: tuple[CheckView, ...] = ()
    signs: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guidance:
    """What is known already about what was found: knowledge on the cause (or on the symptoms) and on its remedies.

    `documents` were looked at, None where they could not be; `compared` confirmed cases were compared. `notes` are
    sentences on what could not be looked at: without them, nothing found means that there is nothing.
    """

    runbooks: tuple[KnowledgeCitation, ...] = ()
    remedies: tuple[CitedRemedy, ...] = ()
    similar: tuple[SimilarCase, ...] = ()
    documents: int | None = None
    compared: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Investigated:
    """The case afterwards, and its new record."""

    case: CaseView
    record: RcaRecord


@dataclass(frozen=True, slots=True)
class RenderReport:
    """A report of the last record, with guidance. form: md | html | json; secrets are masked unless `redact` is False.

    `scopes` are those of ReadGuidance.
    """

    case_id: str
    form: str = "md"
    redact: bool = True
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A report as text, of the form json the record itself, and the guidance that goes with it, masked alike."""

    form: str
    text: str
    guidance: Guidance = Guidance()
