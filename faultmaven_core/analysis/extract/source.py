"""One source, read whole: what kind it is, then everything that it says."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.analysis.extract.extractors import EXTRACTORS, TRANSCRIPT, read_as
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.intake.commands import subject_of
from faultmaven_core.analysis.intake.prepare import CLOSED, Prepared
from faultmaven_core.analysis.intake.provenance import Pairs, command_of
from faultmaven_core.analysis.intake.sniff import kind_of
from faultmaven_core.analysis.model import Entity, Extraction, Role, Source


@dataclass(frozen=True, slots=True)
class Reading:
    """A content that is to be read, with what is known of it from outside."""

    prepared: Prepared
    role: Role = Role.INCIDENT
    chosen: str = ""
    provenance: Pairs = ()

    @property
    def origin(self) -> Entity:
        """Whom plain lines are attributed to."""
        return subject_of(command_of(self.provenance)) or Entity("source", self.prepared.name)

    @property
    def closed(self) -> bool:
        """Whether no extractor reads it."""
        return self.prepared.kind in CLOSED

    @property
    def kind(self) -> str:
        """The kind as the head tells it, or as a person chose it."""
        return self.chosen if self.chosen in EXTRACTORS or self.chosen == TRANSCRIPT else self.prepared.kind

    def source(self, kind: str, sha256: str, lines: int = 0, coverage: tuple[float, float] | None = None) -> Source:
        """The source of an extraction."""
        prepared = self.prepared
        return Source(prepared.name, sha256, prepared.size, kind, self.role, lines, coverage, self.provenance)


def unread(reading: Reading, sha256: str, *problems: str) -> Extraction:
    """The extraction of a source that no extractor reads, or none could."""
    kind = reading.prepared.kind
    return Extraction(reading.source(kind, sha256), problems=(*reading.prepared.problems, *problems))


def read_whole(reading: Reading, data: bytes, tools: Tools) -> Extraction:
    """Everything that a content says which is small enough to be held."""
    text = SourceText(data, reading.prepared.sha256 or None)
    if reading.closed:
        return unread(reading, text.sha256)
    passage = text.passage()
    command = command_of(reading.provenance)
    kind = reading.kind if reading.chosen or not command else kind_of(passage, command)
    out = Findings(tools, reading.origin, command)
    read_as(kind, passage, out)
    return Extraction(
        reading.source(kind, text.sha256, len(text.starts), out.coverage),
        tuple(out.facts),
        tuple(out.relations),
        (*reading.prepared.problems, *out.problems),
        tuple(out.series),
        tuple(out.logs),
    )
