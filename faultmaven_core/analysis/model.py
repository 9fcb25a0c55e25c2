"""The words of an investigation: what is read, what is known, what is suspected.

All are immutable values; two analyses of the same bytes build equal ones.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
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

    `coverage` is the first and last moment (epoch seconds) that its content speaks of, if it states any; `provenance`
    is what a collector wrote down about how it was obtained (tool, parameters), as sorted pairs.
    """

    name: str
    sha256: str
    size: int
    kind: str
    role: Role = Role.INCIDENT
    lines: int = 0
    coverage: tuple[float, float] | None = None
    provenance: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Numbers:
    """Many 64-bit floats, packed: eight bytes each instead of thirty-two, immutable, equal by value."""

    packed: bytes = b""

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Numbers:
        """Packed from any numbers."""
        return cls(array("d", numbers).tobytes())

    def view(self) -> memoryview[float]:
        """The numbers, read-only and without a copy."""
        return memoryview(self.packed).cast("d")

    def __len__(self) -> int:
        return len(self.packed) // 8


@dataclass(frozen=True, slots=True)
class Places:
    """Where each point of a series stands: its first and last line (from 1, inclusive) and their bytes (half-open)."""

    sha256: str
    first_lines: Numbers
    last_lines: Numbers
    starts: Numbers
    ends: Numbers

    def span(self, first: int, last: int | None = None) -> Span:
        """The span from one point to another (inclusive)."""
        last = first if last is None else last
        return Span(
            self.sha256,
            int(self.starts.view()[first]),
            int(self.ends.view()[last]),
            int(self.first_lines.view()[first]),
            int(self.last_lines.view()[last]),
        )


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of an entity over time. `times` are epoch seconds in ascending order, `values` are in `unit`.

    `metric` is the name that the source gives it; `labels` tell series of the same entity and metric apart.
    """

    entity: Entity
    metric: str
    unit: str
    times: Numbers
    values: Numbers
    places: Places
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A metric that left its usual range, judged against a `baseline`: given | peers | self | bound.

    `onset` is the first moment outside, `until` the first moment back inside (None: still outside at the end).
    `before` is the usual value, `peak` the most extreme one after onset, `last` the latest, all in `unit`.
    `score` counts robust standard deviations at the peak; `hurts` says that the direction is the harmful one.
    """

    entity: Entity
    metric: str
    direction: str
    onset: float
    until: float | None
    score: float
    baseline: str
    before: float
    peak: float
    peak_at: float
    last: float
    unit: str
    hurts: bool
    sentence: str
    spans: tuple[Span, ...]

    @property
    def recovered(self) -> bool:
        """Whether it is over: a deviation of the past says nothing against the present."""
        return self.until is not None


@dataclass(frozen=True, slots=True)
class LogSample:
    """One line of a template: its span without a digest (that of its source), its text (cut where long), its moment."""

    line: int
    start: int
    end: int
    text: str
    when: float | None = None


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """Lines of one source that differ in values only.

    `text` has `<*>` for each value, `id` is a hash of it. `severity` is the worst that its lines have: empty, debug, info,
    warning, error or critical. `samples` are the first lines and the last. `histogram` counts lines by time: (epoch second
    at which a bucket begins, count), buckets `width` seconds wide. `flags`: burst, new, rare, rate_down, rate_up.
    """

    id: str
    text: str
    count: int
    severity: str
    first_seen: float | None
    last_seen: float | None
    samples: tuple[LogSample, ...]
    histogram: tuple[tuple[int, int], ...] = ()
    width: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that one source says. `problems` are sentences about what could not be read, for the person to see."""

    source: Source
    facts: tuple[Fact, ...] = ()
    relations: tuple[Relation, ...] = ()
    problems: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    logs: tuple[LogTemplate, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken invariant: a candidate for a cause until a path of relations links it to a symptom.

    `actual` is a sentence, `premises` the facts that it rests on (at least one), `counterfactual` what would be
    otherwise. Not `certain` means that what would settle it is not in the evidence. `bindings` fill slots of texts.
    """

    check: str
    subject: Entity
    premises: tuple[Fact, ...]
    expected: str
    actual: str
    counterfactual: str
    certain: bool = True
    bindings: tuple[tuple[str, str], ...] = ()
