"""One list of what happened when: changes, events, alerts, deviations, first errors; and where trouble began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from faultmaven_core.analysis.model import Entity, Fact, Mode, Source, Span
from faultmaven_core.analysis.signals.metric_sentence import clock

MAX_MOMENTS = 60
"""Longer lists are not read; what tells least goes first."""

MAX_TEXT = 300

_KINDS = (
    ("alert.", "alert"),
    ("anomaly.", "anomaly"),
    ("event.", "event"),
    ("error.exception", "log"),
    ("log.error", "log"),
    ("log.critical", "log"),
)
_WORTH = {"change": 4, "anomaly": 3, "alert": 3, "event": 2, "log": 1}
_TROUBLED_EVENT = ("Warning", "warning", "failure", "failed", "error")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `kind`: change | event | alert | anomaly | log. `troubled`: a sign that something is wrong.

    `first_deviation` marks the earliest sign of trouble of all.
    """

    when: float
    entity: Entity
    text: str
    kind: str
    troubled: bool
    spans: tuple[Span, ...]
    first_deviation: bool = False


def timeline(facts: Iterable[Fact]) -> tuple[Moment, ...]:
    """The dated facts that tell a story, oldest first, each once, the first deviation marked.

    Where there are too many, changes and deviations stay before events, and these before log lines; the first sign of
    trouble always stays.
    """
    found: dict[tuple[Entity, str], Moment] = {}
    for fact in sorted(facts, key=_order):
        moment = _moment(fact)
        if moment:
            found.setdefault((moment.entity, moment.text), moment)
    ordered = sorted(found.values(), key=_place)
    first = next((moment for moment in ordered if moment.troubled), None)
    ranked = sorted(ordered, key=lambda m: (m is not first, -_WORTH[m.kind], not m.troubled, _place(m)))
    kept = sorted(ranked[:MAX_MOMENTS], key=_place)
    return tuple(replace(moment, first_deviation=True) if moment is first else moment for moment in kept)


def _order(fact: Fact) -> tuple[object, ...]:
    return (fact.when is None, fact.when or 0.0, fact.entity, fact.attribute, fact.spans, str(fact.value))


def _place(moment: Moment) -> tuple[float, Entity, str]:
    return moment.when, moment.entity, moment.text


def _moment(fact: Fact) -> Moment | None:
    kind = (
        "change"
        if fact.mode is Mode.CHANGE
        else next((kind for start, kind in _KINDS if fact.attribute.startswith(start)), "")
    )
    if fact.when is None or not kind:
        return None
    params = dict(fact.params)
    troubled = {
        "anomaly": params.get("hurts") == "yes",
        "alert": params.get("state") == "firing",
        "event": params.get("type", "") in _TROUBLED_EVENT or "fail" in params.get("categories", ""),
        "log": True,
        "change": False,
    }[kind]
    said = params.get("text") or str(fact.value)
    name = fact.attribute.split(".", 1)[-1]
    text = said if kind in ("anomaly", "log") else f"{name}: {said}"
    return Moment(fact.when, fact.entity, text[:MAX_TEXT], kind, troubled, fact.spans)


def coverage_sentences(asked: Iterable[float], sources: Iterable[Source]) -> tuple[str, ...]:
    """Where a source does not reach a moment (epoch seconds) that is asked about, a sentence that says so."""
    moments = sorted(set(asked))
    found = []
    for source in sorted(sources, key=lambda s: (s.name, s.sha256)):
        if source.coverage is None:
            continue
        first, last = source.coverage
        for moment in moments:
            if moment > last:
                found.append(f"You ask about {clock(moment)}, {source.name} ends at {clock(last)}.")
            elif moment < first:
                found.append(f"You ask about {clock(moment)}, {source.name} begins at {clock(first)}.")
    return tuple(found)
