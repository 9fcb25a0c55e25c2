"""What the investigation is about: the entities that the question names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.model import Entity

_NOUNS = {
    "pod": "pod",
    "deployment": "deployment",
    "service": "service",
    "job": "job",
    "cronjob": "cronjob",
    "statefulset": "statefulset",
    "daemonset": "daemonset",
    "node": "node",
    "host": "host",
    "database": "database",
    "queue": "queue",
    "topic": "queue",
    "app": "workload",
    "application": "workload",
    "workload": "workload",
}
_NOUN = "|".join(sorted(_NOUNS, key=len, reverse=True))
_NAME = r"[`'\"]?(?P<name>[A-Za-z0-9][\w.-]*[A-Za-z0-9])[`'\"]?"
_NAME_THEN_NOUN = re.compile(rf"{_NAME} (?:\w+ )?(?P<noun>{_NOUN})s?\b", re.IGNORECASE)
_NOUN_THEN_NAME = re.compile(rf"\b(?P<noun>{_NOUN})s? (?:named |called )?{_NAME}", re.IGNORECASE)
_NAMESPACE = re.compile(
    r"\bnamespace[: ]+[`'\"]?([a-z0-9][a-z0-9-]*)|\b(?!(?:the|a|an|this|that|my|our|in)\b)([a-z0-9][a-z0-9-]*) namespace\b|\bin (namespace-[a-z0-9-]+)"
)

WORKLOADS = ("deployment", "statefulset", "daemonset", "job", "cronjob", "replicaset", "service", "pod")
"""Kinds that a question may mean by an application's name, the most encompassing first."""


def asked(question: str) -> list[Entity]:
    """Entities that the question names with what they are, whether or not any evidence knows them."""
    found = list(_subjects(question))
    space = next((next(filter(None, names)) for names in _NAMESPACE.findall(question)), "")
    found += [
        Entity(_NOUNS[match["noun"].lower()], match["name"], space)
        for pattern in (_NAME_THEN_NOUN, _NOUN_THEN_NAME)
        for match in pattern.finditer(question)
        # A plain word beside a noun is prose ("the pod keeps restarting"); names have dashes, digits or quotes.
        if re.search(r"[-._\d`'\"]", match[0].replace(match["noun"], ""))
    ]
    return list(dict.fromkeys(entity for entity in found if entity.name.lower() not in _NOUNS and entity.name != space))


def _subjects(question: str) -> Iterator[Entity]:
    """Subjects that an alert's text carries as JSON objects."""
    for text in re.findall(r"\{[^{}]*\}", question):
        try:
            subject = json.loads(text)
        except ValueError:
            continue
        kind = subject.get("kind") or subject.get("subject_type") or "workload"
        if isinstance(subject.get("name"), str) and isinstance(kind, str):
            yield Entity(kind.lower(), subject["name"], str(subject.get("namespace") or ""))


def focus(question: str, graph: EvidenceGraph) -> list[Entity]:
    """The entities of the graph that the question is about; those that no evidence knows stand for themselves."""
    found = [entity for wanted in asked(question) for entity in (_known(wanted, graph) or [wanted])]
    found += _named(question, graph)
    return list(dict.fromkeys(found))


def _known(wanted: Entity, graph: EvidenceGraph) -> Sequence[Entity]:
    """What the graph knows a named thing as: exactly, else as a workload of that name, else as the pods it made."""
    same = [e for e in graph.entities if e.name == wanted.name and wanted.namespace in ("", e.namespace)]
    exact = [e for e in same if e.kind == wanted.kind]
    workloads = sorted((e for e in same if e.kind in WORKLOADS), key=lambda e: WORKLOADS.index(e.kind))
    pods = [
        e
        for e in graph.of_kind("pod")
        if e.name.startswith(f"{wanted.name}-") and wanted.namespace in ("", e.namespace)
    ]
    return exact or workloads or same or pods


def _named(question: str, graph: EvidenceGraph) -> list[Entity]:
    """Entities whose whole name stands in the question; of nested names only the longest counts."""
    found = [
        entity
        for entity in graph.entities
        if entity.kind not in ("source", "namespace", "metric")
        and re.search(r"[-._\d]", entity.name)
        and re.search(rf"(?<![\w.-]){re.escape(entity.name)}(?![\w-]|\.\w)", question)
    ]
    return [e for e in found if not any(e.name != other.name and e.name in other.name for other in found)]
