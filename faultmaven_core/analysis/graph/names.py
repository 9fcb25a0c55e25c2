"""One name per thing: entities that several sources call differently become the same entity."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from faultmaven_core.analysis.model import Entity, Extraction, Fact, Relation, Source

WRITERS = (
    "pod",
    "job",
    "deployment",
    "statefulset",
    "daemonset",
    "replicaset",
    "service",
    "node",
    "host",
    "database",
    "queue",
)
"""Kinds of things that logs are written by, the most specific first."""

EVERYWHERE = frozenset(
    {
        "node",
        "namespace",
        "persistentvolume",
        "storageclass",
        "source",
        "host",
        "metric",
        "database",
        "process",
        "endpoint",
        "queue",
    }
)
"""Kinds of things that stand in no namespace."""

SHORTEST = 4
"""Characters that a name must have before its mere occurrence in a file name says anything."""


class Names:
    """Which entity each mentioned entity really is, decided once from everything that all sources mention."""

    def __init__(self, extractions: Sequence[Extraction], asked: Sequence[Entity]) -> None:
        self._asked = asked
        self._known: dict[tuple[str, str], set[Entity]] = defaultdict(set)
        for entity in _mentioned(extractions):
            self._known[entity.kind, entity.name].add(entity)
        self._writers = {Entity("source", e.source.name): self._writer(e.source) for e in extractions}

    def of(self, entity: Entity) -> Entity:
        """The entity itself, the only one of its kind and name that has a namespace, or who wrote a source."""
        if entity.kind == "source":
            return self._writers.get(entity) or entity
        twins = [twin for twin in self._known[entity.kind, entity.name] if twin.namespace]
        return twins[0] if not entity.namespace and len(twins) == 1 else entity

    def fact(self, fact: Fact) -> Fact:
        """The fact about the entity that it is really about."""
        entity = self.of(fact.entity)
        return fact if entity is fact.entity else replace(fact, entity=entity)

    def relation(self, relation: Relation) -> Relation:
        """The relation between the entities that it really holds between."""
        return replace(relation, a=self.of(relation.a), b=self.of(relation.b))

    @cached_property
    def _candidates(self) -> Sequence[Entity]:
        """Everything that could have written a log, the most telling name first."""
        found = {self.of(entity) for twins in self._known.values() for entity in twins if entity.kind in WRITERS}
        return sorted(found, key=lambda e: (-len(e.name), WRITERS.index(e.kind), e))

    def _writer(self, source: Source) -> Entity | None:
        """Whose lines a source holds: by what its collector wrote down, by its name, else what the question asks about."""
        said = _named_in(source.provenance)
        stem = source.name.rsplit("/", 1)[-1].lower()
        for entity in self._candidates:
            if entity.name in said or (len(entity.name) >= SHORTEST and _holds(stem, entity.name.lower())):
                return entity
        for entity in self._candidates:
            suffix = entity.name.rsplit("-", 1)[-1].lower()
            if entity.kind == "pod" and len(suffix) >= SHORTEST and _holds(stem, suffix):
                return entity
        return self._asked[0] if len(self._asked) == 1 else None


def _mentioned(extractions: Sequence[Extraction]) -> Iterable[Entity]:
    for extraction in extractions:
        for fact in extraction.facts:
            yield fact.entity
        for relation in extraction.relations:
            yield relation.a
            yield relation.b


def _named_in(provenance: Iterable[tuple[str, str]]) -> set[str]:
    """Values of parameters that name a thing; a namespace or a filter names none."""
    return {
        value
        for key, value in provenance
        if re.search(r"name$|pod|resource|service|host|instance", key) and "namespace" not in key
    }


def _holds(stem: str, name: str) -> bool:
    """Whether a name stands in a file's name, not inside a longer word."""
    return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", stem) is not None


def unified(
    extractions: Sequence[Extraction], asked: Sequence[Entity], concluded: Iterable[Fact] = ()
) -> tuple[Mapping[str, Entity], list[Fact], list[Relation]]:
    """Who wrote each source, and all facts (those of the sources, and others) and relations under one name each."""
    placed = [_placed(extraction) for extraction in extractions]
    names = Names(placed, asked)
    writers = {e.source.name: names.of(Entity("source", e.source.name)) for e in placed}
    facts = [names.fact(fact) for extraction in placed for fact in extraction.facts]
    facts += [names.fact(fact) for fact in concluded]
    relations = [names.relation(relation) for extraction in placed for relation in extraction.relations]
    return writers, facts, relations


def _placed(extraction: Extraction) -> Extraction:
    """Things without a namespace stand in the one that the collector asked for: `kubectl get` does not repeat it."""
    asked = {value for key, value in extraction.source.provenance if key.endswith("namespace") and value}
    if len(asked) != 1:
        return extraction
    namespace = asked.pop()

    def within(entity: Entity) -> Entity:
        bare = not entity.namespace and entity.kind not in EVERYWHERE
        return replace(entity, namespace=namespace) if bare else entity

    return replace(
        extraction,
        facts=tuple(replace(fact, entity=within(fact.entity)) for fact in extraction.facts),
        relations=tuple(replace(r, a=within(r.a), b=within(r.b)) for r in extraction.relations),
    )
