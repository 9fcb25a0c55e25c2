"""All that the sources say, joined: entities under one name each, their facts, and how they relate."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from functools import lru_cache

from faultmaven_core.analysis.model import Entity, Extraction, Fact, Relation


class EvidenceGraph:
    """Immutable once built. The order of all answers depends on the evidence alone, not on the order of its files."""

    def __init__(self, facts: Iterable[Fact], relations: Iterable[Relation]) -> None:
        self._facts: dict[Entity, list[Fact]] = defaultdict(list)
        self._near: dict[Entity, list[tuple[Entity, Relation]]] = defaultdict(list)
        for fact in sorted(facts, key=_fact_order):
            self._facts[fact.entity].append(fact)
        self.relations = tuple(sorted(relations, key=lambda r: (r.kind, r.a, r.b, r.spans)))
        for relation in self.relations:
            self._near[relation.a].append((relation.b, relation))
            self._near[relation.b].append((relation.a, relation))
        self.entities: tuple[Entity, ...] = tuple(sorted({*self._facts, *self._near}))

    @classmethod
    def of(cls, extractions: Sequence[Extraction]) -> EvidenceGraph:
        """Join extractions; an entity without a namespace becomes the only one of its kind and name that has one."""
        known: dict[tuple[str, str], set[Entity]] = defaultdict(set)
        for extraction in extractions:
            for fact in extraction.facts:
                known[fact.entity.kind, fact.entity.name].add(fact.entity)
            for relation in extraction.relations:
                for end in (relation.a, relation.b):
                    known[end.kind, end.name].add(end)

        def unified(entity: Entity) -> Entity:
            twins = [twin for twin in known[entity.kind, entity.name] if twin.namespace]
            return twins[0] if not entity.namespace and len(twins) == 1 else entity

        return cls(
            (
                Fact(unified(f.entity), f.attribute, f.value, f.mode, f.spans, f.when, f.polarity, f.count, f.params)
                for extraction in extractions
                for f in extraction.facts
            ),
            (
                Relation(r.kind, unified(r.a), unified(r.b), r.spans)
                for extraction in extractions
                for r in extraction.relations
            ),
        )

    def facts(self, entity: Entity, attribute: str = "**") -> Sequence[Fact]:
        """An entity's facts whose attribute matches a glob: `*` is one part of the path, `**` any number."""
        matches = _glob(attribute)
        return [fact for fact in self._facts.get(entity, ()) if matches.fullmatch(fact.attribute)]

    def all_facts(self, attribute: str) -> Iterable[Fact]:
        """The facts of every entity whose attribute matches a glob."""
        for entity in self.entities:
            yield from self.facts(entity, attribute)

    def of_kind(self, *kinds: str) -> Sequence[Entity]:
        """The entities of these kinds."""
        return [entity for entity in self.entities if entity.kind in kinds]

    def neighbours(self, entity: Entity) -> Sequence[tuple[Entity, Relation]]:
        """Entities one relation away, with the relation."""
        return self._near.get(entity, ())

    def distances(self, start: Iterable[Entity], limit: int = 4) -> dict[Entity, int]:
        """How many relations away from the nearest start every entity within the limit is."""
        found = dict.fromkeys(start, 0)
        queue = deque(found)
        while queue:
            entity = queue.popleft()
            for other, _ in self.neighbours(entity) if found[entity] < limit else ():
                if other not in found:
                    found[other] = found[entity] + 1
                    queue.append(other)
        return found


def _fact_order(fact: Fact) -> tuple[object, ...]:
    return (fact.attribute, fact.spans, str(fact.value), fact.when or 0.0, fact.count, fact.params)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join({"**": ".*", "*": r"[^.]*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)
