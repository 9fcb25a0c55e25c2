"""Log lines that call themselves errors, as facts: what a program itself holds for wrong, known to us or not."""

from __future__ import annotations

from faultmaven_core.analysis.model import Entity, Extraction, Fact, LogTemplate, Mode, Span

LOUD = {"critical": 0, "error": 1}
"""Severities that count, the worst first."""

MOST = 12
"""Kinds of error lines taken from one source; a broken program repeats itself in more."""


def error_facts(extraction: Extraction) -> list[Fact]:
    """A `log.error` fact per template of error severity: worst first, then the most frequent."""
    loud = sorted((t for t in extraction.logs if t.severity in LOUD), key=lambda t: (LOUD[t.severity], -t.count, t.id))
    return [_fact(template, extraction) for template in loud[:MOST]]


def _fact(template: LogTemplate, extraction: Extraction) -> Fact:
    spans = [Span(extraction.source.sha256, s.start, s.end, s.line, s.line) for s in template.samples]
    first = template.samples[0] if template.samples else None
    return Fact(
        Entity("source", extraction.source.name),
        "log.error",
        first.text.strip() if first else template.text,
        Mode.LOG,
        tuple(spans[:1] + spans[-1:]) if len(spans) > 1 else tuple(spans),
        template.first_seen,
        count=template.count,
        params=(("severity", template.severity), ("template", template.text)),
    )
