"""The RCA record: a public contract (`rca-record/1`), typed, versioned, the only thing that reports are made of."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.analysis.model import Category, Verdict

SCHEMA = "rca-record/1"


@dataclass(frozen=True, slots=True)
class Citation:
    """Whole lines of a file, of very long ones only the part that is quoted.

    `bytes` are half-open; `lines` count from 1, both ends are cited. `sha256` is of the (unpacked) content, `text_sha256` of the cited bytes.
    """

    file: str
    sha256: str
    bytes: tuple[int, int]
    lines: tuple[int, int]
    text_sha256: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """kind: observed | computed | inferred; status: verified | unverified | contradicted."""

    id: str
    text: str
    kind: str
    status: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class EntityView:
    """An entity by kind, name and namespace (empty where it has none)."""

    kind: str
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """A command or observation, and what it would show."""

    command: str
    expect: str


@dataclass(frozen=True, slots=True)
class PredictionView:
    """status: met | failed | unobserved; `claims` are those that it was judged by."""

    text: str
    status: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HypothesisView:
    """A mechanism bound to an entity; claims by id.

    status: leading | open | consequence (of the leading one) | resolved (it is over) | ruled_out.
    """

    rank: int
    entity: EntityView
    category: Category
    mechanism: str
    statement: str
    confidence: float
    status: str
    predictions: tuple[PredictionView, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootCause:
    """The leading hypothesis, told: what broke, how, and step by step from cause to symptom."""

    entity: EntityView
    category: Category
    mechanism_id: str
    statement: str
    mechanism: str
    chain: tuple[str, ...]
    confidence: float
    confirm: CheckView
    refute: CheckView


@dataclass(frozen=True, slots=True)
class Finding:
    """kind: symptom | signature | violation | anomaly; severity: error | warning | info."""

    kind: str
    severity: str
    entity: EntityView
    statement: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`when` is ISO 8601 in UTC; `first_deviation` marks the first sign that something was wrong."""

    when: str
    entity: EntityView
    text: str
    kind: str
    first_deviation: bool
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A hypothesis that a failed prediction speaks against."""

    entity: EntityView
    mechanism: str
    statement: str
    because: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceNeed:
    """What is missing, how to get it (commands) or where to look, and between which mechanisms it would decide."""

    what: str
    why: str
    commands: tuple[str, ...]
    expected: str
    distinguishes: tuple[str, ...]
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """A remedy for a person to take; nothing is ever carried out."""

    text: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """What was read of a source; `problems` are sentences. Times are ISO 8601 in UTC, empty where it states none."""

    file: str
    sha256: str
    kind: str
    role: str
    size: int
    lines: int
    first: str
    last: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Producer:
    """Which version made the record, and which driver: analyst | agent."""

    version: str
    driver: str


@dataclass(frozen=True, slots=True)
class RcaRecord:
    """See the module. `root_cause` is None for insufficient_evidence and healthy."""

    schema: str
    case_id: str
    question: str
    verdict: Verdict
    root_cause: RootCause | None
    hypotheses: tuple[HypothesisView, ...]
    findings: tuple[Finding, ...]
    timeline: tuple[TimelineEntry, ...]
    claims: tuple[ClaimView, ...]
    ruled_out: tuple[RuledOut, ...]
    evidence_needs: tuple[EvidenceNeed, ...]
    actions: tuple[Action, ...]
    coverage: tuple[SourceCoverage, ...]
    produced_by: Producer
