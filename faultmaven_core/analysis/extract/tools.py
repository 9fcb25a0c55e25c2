"""What every extractor is given, and where it puts what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.model import Entity, Fact, LogTemplate, Mode, Polarity, Relation, Scalar, Series, Span
from faultmaven_core.analysis.signals.signatures import SignatureScan
from faultmaven_core.ports.decompression import Decompression
from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.ports.structured_text import StructuredText


@dataclass(frozen=True)
class Tools:
    """The compute ports and compiled knowledge that extraction uses."""

    structured: StructuredText
    signatures: SignatureScan
    documents: Mapping[str, DocumentText] = field(default_factory=dict)
    zstd: Decompression | None = None


@dataclass
class Findings:
    """Collects what an extractor reads from one source.

    `origin` is the entity that plain lines are attributed to, `command` the command that printed them, where known.
    """

    tools: Tools
    origin: Entity
    command: str = ""
    facts: list[Fact] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    coverage: tuple[float, float] | None = None
    series: list[Series] = field(default_factory=list)
    logs: list[LogTemplate] = field(default_factory=list)

    def fact(
        self,
        entity: Entity,
        attribute: str,
        value: Scalar,
        span: Span,
        mode: Mode,
        *,
        when: float | None = None,
        count: int = 1,
        polarity: Polarity = Polarity.PRESENT,
        params: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Add a fact, and the signatures that its text matches where the text is somebody's message."""
        self.facts.append(Fact(entity, attribute, value, mode, (span,), when, polarity, count, params))
        if isinstance(value, str) and mode is not Mode.SPEC and " " in value:
            self.facts.extend(self.tools.signatures.facts(entity, value, span, mode, when=when, count=count))

    def relation(self, kind: str, a: Entity, b: Entity, span: Span) -> None:
        """Add a relation that stands at a span."""
        self.relations.append(Relation(kind, a, b, (span,)))


Extractor = Callable[[Passage, Findings], None]
