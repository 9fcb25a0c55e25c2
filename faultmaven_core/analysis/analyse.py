"""Bytes in, record out: the whole analysis in one call, for embedding programs and tests."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

from faultmaven_core.analysis.claims.ledger import ReadSpan
from faultmaven_core.analysis.diagnose.conclude import Request, diagnose
from faultmaven_core.analysis.extract.large_log import is_large, read_large
from faultmaven_core.analysis.extract.source import Reading, read_whole, unread
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.intake.memory_scratch import MemoryScratch
from faultmaven_core.analysis.intake.prepare import Prepared, prepare
from faultmaven_core.analysis.intake.provenance import pairs_for
from faultmaven_core.analysis.intake.unpack import Unpacker
from faultmaven_core.analysis.mechanisms.load import mechanisms
from faultmaven_core.analysis.model import Extraction, Role, Span
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.ports.extraction_runner import UNREADABLE


def extract_all(
    sources: Mapping[str, bytes], tools: Tools, role: Role = Role.INCIDENT
) -> tuple[list[Extraction], ReadSpan]:
    """Everything that the sources say, archives unpacked, and the way to read a span of them."""
    scratch = MemoryScratch()
    unpacker = Unpacker(scratch, tools.documents, tools.zstd)
    found = [
        (content, scratch.contents[content.key] if content.key else sources[name])
        for name in sorted(sources)
        for content in prepare(name, io.BytesIO(sources[name]), unpacker)
    ]
    entries = [entry for content, _ in found for entry in content.entries]
    by_digest = {hashlib.sha256(data).hexdigest(): data for _, data in found}

    def read(span: Span) -> bytes:
        return by_digest[span.sha256][span.start : span.end]

    def extraction(content: Prepared, data: bytes) -> Extraction:
        reading = Reading(content, role, provenance=pairs_for(content.name, entries))
        if content.kind == UNREADABLE:
            return unread(reading, "")
        if is_large(reading):
            return read_large(reading, io.BytesIO(data), hashlib.sha256(data).hexdigest(), tools)
        return read_whole(reading, data, tools)

    return [extraction(content, data) for content, data in found], read


def analyse(sources: Mapping[str, bytes], request: Request, tools: Tools) -> RcaRecord:
    """The record for sources by name. The same bytes give the same record, whatever their order."""
    extractions, read = extract_all(sources, tools)
    return diagnose(extractions, request, mechanisms(), read)
