"""Kubernetes objects as the graph knows them: looked up by name, read by the API's paths."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_quantity import quantity
from faultmaven_core.analysis.model import Entity, Fact, Polarity

TEMPLATES: Mapping[str, str] = {
    "pod": "spec",
    "cronjob": "spec.jobTemplate.spec.template.spec",
    **dict.fromkeys(("deployment", "statefulset", "daemonset", "replicaset", "job"), "spec.template.spec"),
}
"""Where each kind keeps the specification of its pods."""


class KubernetesObject:
    """One object's facts by path. Paths are exact; where sources disagree the last in the order of lines stands."""

    def __init__(self, entity: Entity, facts: Sequence[Fact]) -> None:
        self.entity = entity
        self._facts = sorted((f for f in facts if f.polarity is Polarity.PRESENT), key=lambda f: (f.attribute, f.spans))
        self._attributes = [fact.attribute for fact in self._facts]

    def __str__(self) -> str:
        return f"{self.entity.kind.capitalize()} {self.entity.name}"

    @cached_property
    def described(self) -> bool:
        """Whether the object itself stands in the evidence, not only its name in another one or in an event."""
        return self.fact("metadata.name") is not None

    def all(self, path: str) -> Sequence[Fact]:
        """Every fact under exactly this path."""
        first = bisect_left(self._attributes, path)
        found = []
        for fact in self._facts[first:]:
            if fact.attribute != path:
                break
            found.append(fact)
        return found

    def fact(self, path: str) -> Fact | None:
        """The fact under a path."""
        found = self.all(path)
        return found[-1] if found else None

    def text(self, path: str) -> str:
        """The value under a path as text; empty where there is none."""
        fact = self.fact(path)
        return "" if fact is None or fact.value is None else str(fact.value)

    def number(self, path: str) -> float | None:
        """The value under a path as a number or quantity in base units."""
        fact = self.fact(path)
        return quantity(fact.value) if fact is not None else None

    def under(self, path: str) -> Iterator[Fact]:
        """The facts whose path continues this one, in the order of their paths."""
        prefix = f"{path}."
        for fact in self._facts[bisect_left(self._attributes, prefix) :]:
            if not fact.attribute.startswith(prefix):
                return
            yield fact

    def keys(self, path: str) -> list[str]:
        """The keys (of a mapping) or names and indexes (of a list) directly under a path; dots in keys break them."""
        return list(dict.fromkeys(f.attribute[len(path) + 1 :].split(".", 1)[0] for f in self.under(path)))

    def mapping(self, path: str) -> dict[str, str]:
        """A mapping of scalars, such as labels; keys may hold dots."""
        return {fact.attribute[len(path) + 1 :]: str(fact.value) for fact in self.under(path)}

    def texts(self, path: str) -> list[str]:
        """The scalars of a list, in its order."""
        found = [(key, self.text(f"{path}.{key}")) for key in self.keys(path)]
        return [text for key, text in sorted(found, key=lambda pair: int(pair[0]) if pair[0].isdecimal() else 0)]


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod or pod template; paths are relative to it."""

    of: KubernetesObject
    path: str
    name: str
    initial: bool

    def at(self, path: str) -> str:
        """The full path of a part."""
        return f"{self.path}.{path}"

    def text(self, path: str) -> str:
        """The value of a part as text."""
        return self.of.text(self.at(path))

    def fact(self, path: str) -> Fact | None:
        """The fact of a part."""
        return self.of.fact(self.at(path))

    def ports(self) -> dict[int, str]:
        """Declared container ports with their names; index where they have none."""
        found = {}
        for key in self.of.keys(self.at("ports")):
            port = self.of.number(self.at(f"ports.{key}.containerPort"))
            if port is not None:
                found[int(port)] = key
        return found


class Cluster:
    """All Kubernetes objects of a graph."""

    def __init__(self, graph: EvidenceGraph) -> None:
        self.graph = graph
        self._by_name: dict[tuple[str, str], list[KubernetesObject]] = defaultdict(list)
        self._by_kind: dict[str, list[KubernetesObject]] = defaultdict(list)
        for entity in graph.entities:
            if entity.kind != "source":
                found = KubernetesObject(entity, graph.facts(entity))
                self._by_name[entity.kind, entity.name].append(found)
                self._by_kind[entity.kind].append(found)

    def of_kind(self, *kinds: str) -> Iterator[KubernetesObject]:
        """The objects of these kinds that the evidence describes."""
        for kind in kinds:
            yield from (each for each in self._by_kind.get(kind, ()) if each.described)

    def mentioned(self, *kinds: str) -> Iterator[KubernetesObject]:
        """The objects of these kinds, also those that only events or other objects name."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def find(self, kind: str, name: str, namespace: str) -> KubernetesObject | None:
        """A described object by name; an empty namespace fits every one."""
        for each in self._by_name.get((kind, name), ()):
            if each.described and same_namespace(each.entity.namespace, namespace):
                return each
        return None

    def object(self, entity: Entity) -> KubernetesObject:
        """The object of an entity, described or not; of a plain source, what it says."""
        for each in self._by_name.get((entity.kind, entity.name), ()):
            if each.entity == entity:
                return each
        return KubernetesObject(entity, self.graph.facts(entity))

    def lists(self, kind: str, namespace: str) -> bool:
        """Whether the evidence shows others of the kind in the namespace, so that not to be shown means something."""
        return any(same_namespace(each.entity.namespace, namespace) for each in self.of_kind(kind))

    @cached_property
    def workloads(self) -> Sequence[KubernetesObject]:
        """Everything that has a pod specification and no owner that has the same one."""
        return [each for each in self.of_kind(*TEMPLATES) if self.owner(each) is None]

    def owner(self, each: KubernetesObject) -> KubernetesObject | None:
        """The described owner of an object."""
        for other, relation in self.graph.neighbours(each.entity):
            if relation.kind == "owns" and relation.b == each.entity:
                above = self.find(other.kind, other.name, other.namespace)
                if above is not None and above.keys(TEMPLATES.get(other.kind, "none")):
                    return above
        return None

    def containers(self, each: KubernetesObject, *, initial: bool = True) -> Iterator[Container]:
        """The containers that an object's pods have, init containers first."""
        base = TEMPLATES.get(each.entity.kind)
        groups = ("initContainers", "containers") if initial else ("containers",)
        for group in groups if base else ():
            for name in each.keys(f"{base}.{group}"):
                yield Container(each, f"{base}.{group}.{name}", name, group == "initContainers")


def same_namespace(a: str, b: str) -> bool:
    """Whether two namespaces can be the same; one that was not printed can be any."""
    return not a or not b or a == b


def pod_labels(each: KubernetesObject) -> dict[str, str]:
    """The labels that an object's pods carry."""
    if each.entity.kind == "pod":
        return each.mapping("metadata.labels")
    base = TEMPLATES[each.entity.kind].removesuffix(".spec")
    return each.mapping(f"{base}.metadata.labels")
