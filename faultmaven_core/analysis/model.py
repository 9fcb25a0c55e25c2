"""The words of an investigation: what is read, what is known, what is suspected.

All are immutable values; two analyses of the same bytes build equal ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Scalar = str | int | float | bool | None


class Role(StrEnum):
    """What a source is evidence of: the incident, or how things look when all is well."""

    INCIDENT = "incident"
    BASELINE = "baseline"


class Mode(StrEnum):
    """How a fact came to be known."""

    SPEC = "spec"
    STATUS = "status"
    EVENT = "event"
    LOG = "log"
    METRIC = "metric"
    TRACE = "trace"
    CHANGE = "change"


class Polarity(StrEnum):
    """Whether the evidence shows the thing, shows that it is not there, or cannot say."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Category(StrEnum):
    """What kind of root cause it is."""

    CONFIGURATION_ERROR = "configuration_error"
    CODE_DEFECT = "code_defect"
    DATA_QUALITY = "data_quality"
    RESOURCE_EXHAUSTION = "resource_exhaustion"
    DEPENDENCY_FAILURE = "dependency_failure"
    INFRASTRUCTURE = "infrastructure"
    SECURITY = "security"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """How sure the conclusion is; see `investigation.md` 2."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    SUSPECTED = "suspected"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where something stands: whole lines of one source. Bytes are half-open, lines count from 1 and are inclusive."""

    sha256: str
    start: int
    end: int
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A thing of the system under investigation; `namespace` is empty where unknown or meaningless."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Relation:
    """`a` owns, selects, mounts, runs_on, calls, references or resolves_to `b`."""

    kind: str
    a: Entity
    b: Entity
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the evidence says about an entity.

    `attribute` is a dotted path, for Kubernetes objects the API's own (list items by their name, else their index):
    `status.containerStatuses.app.restartCount`. A matched signature is `signature.<id>`, an event `event.<reason>`.
    `when` is in epoch seconds (UTC); `params` are the parts that a signature captured; `count` how often it was seen.
    """

    entity: Entity
    attribute: str
    value: Scalar
    mode: Mode
    spans: tuple[Span, ...]
    when: float | None = None
    polarity: Polarity = Polarity.PRESENT
    count: int = 1
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file or archive member: its name, the digest and size of its (unpacked) content, and what it turned out to be.

    `coverage` is the first and last moment (epoch seconds) that its content speaks of, if it states any.
    """

    name: str
    sha256: str
    size: int
    kind: str
    role: Role = Role.INCIDENT
    lines: int = 0
    coverage: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that one source says. `problems` are sentences about what could not be read, for the person to see."""

    source: Source
    facts: tuple[Fact, ...] = ()
    relations: tuple[Relation, ...] = ()
    problems: tuple[str, ...] = ()
