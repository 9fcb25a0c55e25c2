"""All that the sources say, joined: entities under one name each, their facts, and how they relate."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from faultmaven_core.analysis.graph.names import unified
from faultmaven_core.analysis.model import Entity, Extraction, Fact, Relation

SHARED = frozenset({"node", "namespace", "serviceaccount", "configmap", "secret", "storageclass", "persistentvolume"})
"""Kinds of things that unrelated workloads have in common."""


class EvidenceGraph:
    """Immutable once built. The order of all answers depends on the evidence alone, not on the order of its files.

    `writers` says whose lines the source of a name holds; a source that nobody could be found for is its own entity.
    """

    def __init__(
        self, facts: Iterable[Fact], relations: Iterable[Relation], writers: Mapping[str, Entity] | None = None
    ) -> None:
        self.writers = dict(writers or {})
        self._facts: dict[Entity, list[Fact]] = defaultdict(list)
        self._by_attribute: dict[str, list[Fact]] = defaultdict(list)
        self._near: dict[Entity, list[tuple[Entity, Relation]]] = defaultdict(list)
        for fact in sorted(set(facts), key=_fact_order):
            self._facts[fact.entity].append(fact)
            self._by_attribute[fact.attribute].append(fact)
        self.relations = tuple(sorted(set(relations), key=lambda r: (r.kind, r.a, r.b, r.spans)))
        for relation in self.relations:
            self._near[relation.a].append((relation.b, relation))
            self._near[relation.b].append((relation.a, relation))
        self.entities: tuple[Entity, ...] = tuple(sorted({*self._facts, *self._near}))

    @classmethod
    def of(
        cls, extractions: Sequence[Extraction], asked: Sequence[Entity] = (), concluded: Iterable[Fact] = ()
    ) -> EvidenceGraph:
        """Join extractions; `asked` are what the question is about, `concluded` facts that no single source states."""
        writers, facts, relations = unified(extractions, asked, concluded)
        return cls(facts, relations, writers)

    def with_more(self, facts: Iterable[Fact] = (), relations: Iterable[Relation] = ()) -> EvidenceGraph:
        """A graph that also holds what was concluded from this one."""
        mine = (fact for found in self._facts.values() for fact in found)
        return EvidenceGraph([*mine, *facts], [*self.relations, *relations], self.writers)

    def facts(self, entity: Entity, attribute: str = "**") -> Sequence[Fact]:
        """An entity's facts whose attribute matches a glob: `*` is one part of the path, `**` any number."""
        matches = _glob(attribute)
        return [fact for fact in self._facts.get(entity, ()) if matches.fullmatch(fact.attribute)]

    def all_facts(self, attribute: str) -> Sequence[Fact]:
        """The facts of every entity whose attribute matches a glob."""
        matches = _glob(attribute)
        found = [fact for name, facts in self._by_attribute.items() if matches.fullmatch(name) for fact in facts]
        return sorted(found, key=lambda fact: (fact.entity, *_fact_order(fact)))

    def of_kind(self, *kinds: str) -> Sequence[Entity]:
        """The entities of these kinds."""
        return [entity for entity in self.entities if entity.kind in kinds]

    def neighbours(self, entity: Entity) -> Sequence[tuple[Entity, Relation]]:
        """Entities one relation away, with the relation."""
        return self._near.get(entity, ())

    def owner(self, entity: Entity) -> Entity:
        """Who owns the owner of the entity, and so on; the entity itself where nobody is known to own it."""
        seen = {entity}
        while True:
            above = sorted({r.a for other, r in self.neighbours(entity) if r.kind == "owns" and r.b == entity} - seen)
            if not above:
                return entity
            entity = above[0]
            seen.add(entity)

    def distances(self, start: Iterable[Entity], limit: int = 4) -> dict[Entity, int]:
        """How many relations away from the nearest start every entity within the limit is.

        What many share is reached, not passed: two pods on one node have nothing to do with each other.
        """
        found = dict.fromkeys(start, 0)
        queue = deque(found)
        while queue:
            entity = queue.popleft()
            passed = found[entity] == 0 or entity.kind not in SHARED
            for other, _ in self.neighbours(entity) if passed and found[entity] < limit else ():
                if other not in found:
                    found[other] = found[entity] + 1
                    queue.append(other)
        return found


def _fact_order(fact: Fact) -> tuple[object, ...]:
    return (fact.attribute, fact.spans, str(fact.value), fact.when or 0.0, fact.count, fact.params, fact.entity)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join({"**": ".*", "*": r"[^.]*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)
