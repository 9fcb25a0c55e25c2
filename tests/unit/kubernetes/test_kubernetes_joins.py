"""Relations that only several sources together show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_joins import join
from faultmaven_core.analysis.model import Entity

Graph = Callable[..., EvidenceGraph]


def related(graph: EvidenceGraph) -> set[tuple[str, str, str]]:
    return {(r.kind, f"{r.a.kind}/{r.a.name}", f"{r.b.kind}/{r.b.name}") for r in graph.relations}


def obj(kind: str, name: str, body: str = "", metadata: str = "") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: shop\n{metadata}{body}"


def test_pod_belongs_to_its_deployment_through_the_replica_set(graph: Graph) -> None:
    """Nobody printed the replica set; the names are enough."""
    built = graph(obj("Deployment", "web"), obj("Pod", "web-5d9c7b6f4-x2x4z"))
    assert built.owner(Entity("pod", "web-5d9c7b6f4-x2x4z", "shop")) == Entity("deployment", "web", "shop")


def test_label_of_the_template_tells_the_owner_that_is_not_there(graph: Graph) -> None:
    """The pods of one deployment stand together even if it was not collected."""
    labels = "  labels:\n    pod-template-hash: 5d9c7b6f4\n"
    built = graph(obj("Pod", "web-5d9c7b6f4-x2x4z", metadata=labels))
    assert built.owner(Entity("pod", "web-5d9c7b6f4-x2x4z", "shop")) == Entity("deployment", "web", "shop")


def test_like_names_alone_make_no_owner(graph: Graph) -> None:
    """`metrics-server-proxy` looks like a pod of a deployment `metrics`, but nothing says that it is one."""
    built = graph(obj("Pod", "metrics-server-proxy"))
    assert related(built) == set()


@pytest.mark.parametrize(
    ("kind", "owner", "child_kind", "child"),
    [
        ("StatefulSet", "db", "Pod", "db-0"),
        ("DaemonSet", "agent", "Pod", "agent-x2x4z"),
        ("Job", "import", "Pod", "import-x2x4z"),
        ("CronJob", "nightly", "Job", "nightly-29012345"),
        ("Deployment", "web", "ReplicaSet", "web-5d9c7b6f4"),
    ],
)
def test_names_that_controllers_give(graph: Graph, kind: str, owner: str, child_kind: str, child: str) -> None:
    """Each controller has its own pattern."""
    built = graph(obj(kind, owner), obj(child_kind, child))
    assert ("owns", f"{kind.lower()}/{owner}", f"{child_kind.lower()}/{child}") in related(built)


def test_label_of_a_job_names_its_owner(graph: Graph) -> None:
    """Newer clusters prefix the label."""
    for label in ("job-name", "batch.kubernetes.io/job-name"):
        built = graph(obj("Pod", "whatever", metadata=f"  labels:\n    {label}: import\n"))
        assert ("owns", "job/import", "pod/whatever") in related(built)


def test_stated_replica_set_is_joined_to_its_deployment(graph: Graph) -> None:
    """`Controlled By: ReplicaSet/…` names one that was not collected."""
    owner = "  ownerReferences:\n  - kind: ReplicaSet\n    name: web-5d9c7b6f4\n"
    built = graph(obj("Deployment", "web"), obj("Pod", "web-5d9c7b6f4-x2x4z", metadata=owner))
    assert ("owns", "deployment/web", "replicaset/web-5d9c7b6f4") in related(built)


def test_service_selects_pods_and_their_makers(graph: Graph) -> None:
    """All labels of the selector, in the same namespace."""
    labels = "  labels:\n    app: web\n    tier: front\n"
    service = obj("Service", "web", "spec:\n  selector:\n    app: web\n")
    built = graph(
        service, obj("Pod", "web-0", metadata=labels), obj("Pod", "api-0", metadata="  labels:\n    app: api\n")
    )
    assert {r for r in related(built) if r[0] == "selects"} == {("selects", "service/web", "pod/web-0")}


def test_address_in_the_environment_is_a_call(graph: Graph) -> None:
    """A service's DNS name in a variable or argument says who calls it."""
    body = "spec:\n  containers:\n  - name: web\n    args: ['--db=db:5432']\n    env:\n    - name: API\n      value: http://api.shop.svc.cluster.local:80/v1\n"
    built = graph(obj("Pod", "web-0", body), obj("Service", "api"), obj("Service", "db"), obj("Service", "web-0"))
    assert {r for r in related(built) if r[0] == "calls"} == {
        ("calls", "pod/web-0", "service/api"),
        ("calls", "pod/web-0", "service/db"),
    }


def test_claims_of_a_stateful_set(graph: Graph) -> None:
    """`<template>-<set>-<ordinal>`."""
    body = "spec:\n  volumeClaimTemplates:\n  - metadata:\n      name: data\n"
    built = graph(
        obj("StatefulSet", "db", body), obj("PersistentVolumeClaim", "data-db-0"), obj("PersistentVolumeClaim", "other")
    )
    assert {r for r in related(built) if r[0] == "mounts"} == {
        ("mounts", "statefulset/db", "persistentvolumeclaim/data-db-0")
    }


def test_joining_twice_adds_nothing(graph: Graph) -> None:
    """The joins are a function of the evidence."""
    built = graph(obj("Deployment", "web"), obj("Pod", "web-5d9c7b6f4-x2x4z"))
    assert related(built.with_more(relations=join(built))) == related(built)


def test_pod_that_only_an_event_names_belongs_to_its_deployment(graph: Graph) -> None:
    """Its failures are its owner's, even if the pod itself was not collected or is gone."""
    event = (
        "apiVersion: v1\nkind: Event\nmetadata: {name: e}\nreason: FailedScheduling\nmessage: no room\n"
        "involvedObject: {kind: Pod, name: web-5d9c7b6f4-x2x4z, namespace: shop}\n"
    )
    built = graph(obj("Deployment", "web"), event)
    assert built.owner(Entity("pod", "web-5d9c7b6f4-x2x4z", "shop")) == Entity("deployment", "web", "shop")
