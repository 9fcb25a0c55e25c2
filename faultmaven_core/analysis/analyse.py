"""Bytes in, record out: the whole analysis in one call, for embedding programs and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from faultmaven_core.analysis.diagnose.conclude import Request, diagnose
from faultmaven_core.analysis.extract.extractors import EXTRACTORS
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.intake.sniff import kind_of
from faultmaven_core.analysis.mechanisms.load import mechanisms
from faultmaven_core.analysis.model import Entity, Extraction, Role, Source, Span
from faultmaven_core.analysis.record import RcaRecord


def extract(name: str, text: SourceText, tools: Tools, role: Role = Role.INCIDENT) -> Extraction:
    """Everything that one source says."""
    passage = text.passage()
    kind = kind_of(passage)
    out = Findings(tools, Entity("source", name))
    EXTRACTORS[kind](passage, out)
    source = Source(name, text.sha256, len(text.data), kind, role, len(text.starts))
    return Extraction(source, tuple(out.facts), tuple(out.relations), tuple(out.problems), tuple(out.series))


def analyse(sources: Mapping[str, bytes], request: Request, tools: Tools) -> RcaRecord:
    """The record for sources by name. The same bytes give the same record, whatever their order."""
    texts = {name: SourceText(data) for name, data in sorted(sources.items())}
    by_digest = {text.sha256: text for text in texts.values()}
    extractions: Sequence[Extraction] = [extract(name, text, tools) for name, text in texts.items()]

    def read(span: Span) -> bytes:
        return by_digest[span.sha256].data[span.start : span.end]

    return diagnose(extractions, request, mechanisms(), read)
