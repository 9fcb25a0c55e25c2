"""What the sources say, on one clock and within the time asked about, joined to one graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultmaven_core.analysis.checks.ignore import news
from faultmaven_core.analysis.checks.run import run_checks, violation_facts
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_joins import join
from faultmaven_core.analysis.model import Entity, Extraction, Fact, Role
from faultmaven_core.analysis.signals.clock import offsets
from faultmaven_core.analysis.signals.error_lines import error_facts
from faultmaven_core.analysis.signals.log_rates import unlike
from faultmaven_core.analysis.signals.metric_anomalies import metric_facts
from faultmaven_core.analysis.signals.timeline import coverage_sentences


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants to know, and the values that would make two runs differ.

    `since` and `until` (epoch seconds) leave out what is dated before or after; what has no date stays.
    `ignored` are rules for violations that are no news (`checks/ignore.py`).
    """

    case_id: str
    question: str
    version: str
    since: float | None = None
    until: float | None = None
    ignored: tuple[str, ...] = ()

    def covers(self, fact: Fact) -> bool:
        """Whether a fact lies in the time that is asked about."""
        if fact.when is None:
            return True
        return (self.since is None or fact.when >= self.since) and (self.until is None or fact.when <= self.until)

    def reach(self, extractions: Sequence[Extraction]) -> dict[str, tuple[float, float]]:
        """The first and last moment of each source, by digest, within the time that is asked about."""
        latest = math.inf if self.until is None else self.until
        return {
            e.source.sha256: (e.source.coverage[0], min(e.source.coverage[1], latest))
            for e in extractions
            if e.source.coverage is not None
        }

    @property
    def moments(self) -> list[float]:
        """The moments that sources should reach: the middle of a span, else the end that is given."""
        given = [moment for moment in (self.since, self.until) if moment is not None]
        return [sum(given) / len(given)] if given else []


def prepared(extractions: Sequence[Extraction], request: Request) -> list[Extraction]:
    """The extractions in a fixed order, on one clock, with what their sources do not reach said in `problems`."""
    ordered = sorted(extractions, key=lambda e: (e.source.name, e.source.sha256))
    ordered = _on_one_clock([replace(e, facts=(*e.facts, *error_facts(e))) for e in _compared(ordered)])
    alerted = [f.when for e in ordered for f in e.facts if f.attribute.startswith("alert.") and f.when is not None]
    asked = request.moments or alerted
    return [replace(e, problems=(*e.problems, *coverage_sentences(asked, [e.source]))) for e in ordered]


def _compared(extractions: Sequence[Extraction]) -> Sequence[Extraction]:
    """The incident's logs without the templates that the baseline's logs have in like measure; all, if there are none."""
    baseline = [template for e in extractions if e.source.role is Role.BASELINE for template in e.logs]
    if not baseline:
        return extractions
    return [replace(e, logs=unlike(e.logs, baseline)) if e.source.role is Role.INCIDENT else e for e in extractions]


def joined(ordered: Sequence[Extraction], request: Request, asked: Sequence[Entity]) -> EvidenceGraph:
    """The graph of the incident's sources, with what only all of them together show."""
    incident = [
        replace(e, facts=tuple(fact for fact in e.facts if request.covers(fact)))
        for e in ordered
        if e.source.role is Role.INCIDENT
    ]
    series = [one for e in incident for one in e.series]
    baseline = [one for e in ordered if e.source.role is Role.BASELINE for one in e.series]
    measured = [fact for fact in metric_facts(series, baseline) if request.covers(fact)]
    graph = EvidenceGraph.of(incident, asked, measured)
    graph = graph.with_more(relations=join(graph))
    return graph.with_more(violation_facts(news(run_checks(graph), request.ignored)))


def _on_one_clock(ordered: Sequence[Extraction]) -> list[Extraction]:
    """Sources whose clock is ahead of another's are set back by the measured offset, and say so."""
    names = {e.source.sha256: e.source.name for e in reversed(ordered)}
    corrected: dict[str, float] = {}
    said: dict[str, str] = {}
    for offset in offsets(fact for e in ordered for fact in e.facts):
        if offset.ahead not in corrected:
            corrected[offset.ahead] = offset.seconds + corrected.get(offset.behind, 0.0)
            said[offset.ahead] = f"{offset.sentence(names)} They are set back by that much here."
    return [
        _moved(e, corrected[e.source.sha256], said[e.source.sha256]) if e.source.sha256 in corrected else e
        for e in ordered
    ]


def _moved(extraction: Extraction, seconds: float, sentence: str) -> Extraction:
    facts = tuple(fact if fact.when is None else replace(fact, when=fact.when - seconds) for fact in extraction.facts)
    return replace(extraction, facts=facts, problems=(*extraction.problems, sentence))
