"""A summary's masked messages as templates."""

from __future__ import annotations

import hashlib

from faultmaven_core.analysis.extract.log_summary import LogSummary, Tally
from faultmaven_core.analysis.extract.template_merge import merge
from faultmaven_core.analysis.model import LogTemplate

MAX_TEMPLATES = 500
"""Of one source, the commonest; the rest are mostly free text."""


def template_id(text: str) -> str:
    """The id of a template: the same text has the same one in every source and case."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def templates(summary: LogSummary) -> list[LogTemplate]:
    """The templates of a source, commonest first."""
    texts = merge(summary.messages)
    tallies: dict[str, Tally] = {}
    for message in sorted(summary.messages):
        text = texts[message]
        if text in tallies:
            tallies[text].interleave(summary.messages[message].moved(0))
        else:
            tallies[text] = summary.messages[message].moved(0)
    ordered = sorted(tallies.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        LogTemplate(
            template_id(text),
            text,
            tally.count,
            tally.severity,
            tally.first_seen,
            tally.last_seen,
            tally.samples(),
            tally.histogram.buckets(),
            tally.histogram.width,
        )
        for text, tally in ordered[:MAX_TEMPLATES]
    ]
