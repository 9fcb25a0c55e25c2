"""Relations that only the whole graph shows: owners by name, selectors, claims, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject, pod_labels, same_namespace
from faultmaven_core.analysis.model import Entity, Fact, Relation

# Names that the controllers make: owner, hash of the template, random suffix. They count only where the owner itself is
# in the evidence or the pod's label repeats the hash, so that the patterns can be wide.
_REPLICA_SET = re.compile(r"(?P<owner>.+)-[a-z0-9]{5,10}\Z")
_POD = re.compile(r"(?P<owner>.+)-[a-z0-9]{4,6}\Z")
_ORDINAL = re.compile(r"(?P<owner>.+)-\d+\Z")
_HOST = re.compile(
    r"(?<![\w.-])(?P<name>[a-z][a-z0-9-]{0,62})(?:\.(?P<namespace>[a-z0-9-]{1,63})\.svc(?:\.[a-z.-]+)?)?(?=[:/\s]|$)"
)


def join(graph: EvidenceGraph) -> list[Relation]:
    """What the objects of the graph have to do with one another, beyond what each of them says."""
    cluster = Cluster(graph)
    return sorted(
        {*_owners(cluster), *_selected(cluster), *_addressed(cluster), *_claims(cluster)},
        key=lambda r: (r.kind, r.a, r.b, r.spans),
    )


def _relation(kind: str, a: Entity, b: Entity, fact: Fact | None) -> Relation:
    return Relation(kind, a, b, fact.spans[:1] if fact is not None else ())


def _owners(cluster: Cluster) -> Iterator[Relation]:
    """Pods and replica sets whose owner no source states, by the names that controllers give."""
    owned = {relation.b for relation in cluster.graph.relations if relation.kind == "owns"}
    for each in cluster.mentioned("pod", "replicaset", "job"):
        if each.entity not in owned:
            yield from _named_after(each, cluster)
    for relation in cluster.graph.relations:
        # `Controlled By: ReplicaSet/x` names a replica set that nobody printed; its deployment may well be there.
        match = _REPLICA_SET.match(relation.a.name) if relation.a.kind == "replicaset" else None
        if relation.kind == "owns" and match is not None and relation.a not in owned:
            above = cluster.find("deployment", match["owner"], relation.a.namespace)
            if above is not None:
                yield Relation("owns", above.entity, relation.a, relation.spans)


_NAMED: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "replicaset": ((_REPLICA_SET, "deployment"),),
    "job": ((_ORDINAL, "cronjob"),),
    "pod": ((_POD, "replicaset"), (_POD, "daemonset"), (_POD, "job"), (_ORDINAL, "statefulset")),
}


def _named_after(each: KubernetesObject, cluster: Cluster) -> Iterator[Relation]:
    entity = each.entity
    fact = each.fact("metadata.name")
    labels = each.mapping("metadata.labels")
    job = labels.get("batch.kubernetes.io/job-name") or labels.get("job-name")
    if entity.kind == "pod" and job:
        yield _relation("owns", Entity("job", job, entity.namespace), entity, fact)
        return
    for pattern, kind in _NAMED[entity.kind]:
        match = pattern.match(entity.name)
        above = cluster.find(kind, match["owner"], entity.namespace) if match is not None else None
        if above is not None:
            yield _relation("owns", above.entity, entity, fact)
            return
    if entity.kind == "pod":
        yield from _through_replica_set(entity, labels.get("pod-template-hash", ""), fact, cluster)


def _through_replica_set(entity: Entity, template_hash: str, fact: Fact | None, cluster: Cluster) -> Iterator[Relation]:
    """Pod and deployment, with the replica set between them that nobody printed."""
    match = _POD.match(entity.name)
    outer = _REPLICA_SET.match(match["owner"]) if match is not None else None
    if match is None or outer is None:
        return
    above = cluster.find("deployment", outer["owner"], entity.namespace)
    if above is not None or (template_hash and match["owner"].endswith(f"-{template_hash}")):
        middle = Entity("replicaset", match["owner"], entity.namespace)
        top = above.entity if above is not None else Entity("deployment", outer["owner"], entity.namespace)
        yield _relation("owns", top, middle, fact)
        yield _relation("owns", middle, entity, fact)


def _selected(cluster: Cluster) -> Iterator[Relation]:
    """Services, budgets and policies select pods, and the workloads that make such pods."""
    makers = [*cluster.of_kind("pod"), *cluster.workloads]
    for kind, path in (
        ("service", "spec.selector"),
        ("poddisruptionbudget", "spec.selector.matchLabels"),
        ("networkpolicy", "spec.podSelector.matchLabels"),
    ):
        for each in cluster.of_kind(kind):
            wanted = each.mapping(path)
            for maker in makers if wanted else ():
                near = same_namespace(maker.entity.namespace, each.entity.namespace)
                if near and wanted.items() <= pod_labels(maker).items():
                    yield _relation("selects", each.entity, maker.entity, next(each.under(path), None))


def _addressed(cluster: Cluster) -> Iterator[Relation]:
    """Environment values and arguments that hold the DNS name of a service."""
    services = {each.entity.name for each in cluster.of_kind("service")}
    for each in cluster.workloads if services else ():
        for container in cluster.containers(each):
            for part in ("env", "args", "command"):
                for fact in each.under(container.at(part)):
                    yield from _hosts(each, fact, services, cluster)


def _hosts(each: KubernetesObject, fact: Fact, services: set[str], cluster: Cluster) -> Iterator[Relation]:
    if not isinstance(fact.value, str) or fact.attribute.endswith(".name"):
        return
    for match in _HOST.finditer(re.sub(r"\w+://|@", " ", fact.value)):
        if match["name"] in services:
            other = cluster.find("service", match["name"], match["namespace"] or each.entity.namespace)
            if other is not None:
                yield _relation("calls", each.entity, other.entity, fact)


def _claims(cluster: Cluster) -> Iterator[Relation]:
    """Claims that a stateful set's templates make: `<template>-<set>-<ordinal>`."""
    for each in cluster.of_kind("statefulset"):
        # Items of volumeClaimTemplates have their name inside metadata, so that the list is keyed by index.
        for key in each.keys("spec.volumeClaimTemplates"):
            name = each.text(f"spec.volumeClaimTemplates.{key}.metadata.name")
            for claim in cluster.of_kind("persistentvolumeclaim") if name else ():
                made = claim.entity.name.startswith(f"{name}-{each.entity.name}-")
                if made and same_namespace(claim.entity.namespace, each.entity.namespace):
                    yield _relation("mounts", each.entity, claim.entity, claim.fact("metadata.name"))
