"""Manifests, API lists, vendors' JSON and cluster dumps."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.graph.kubernetes_quantity import quantity
from faultmaven_core.analysis.graph.kubernetes_time import moment
from faultmaven_core.analysis.model import Entity, Extraction, Scalar

Read = Callable[[str], Extraction]


def values(extraction: Extraction, entity: Entity) -> dict[str, Scalar]:
    return {fact.attribute: fact.value for fact in extraction.facts if fact.entity == entity}


def test_broken_document_costs_only_itself(read: Read) -> None:
    """The objects before and after it are read, and a sentence names the line."""
    extraction = read("""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: first}
        ---
        apiVersion: v1
        kind: [oops
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: third}
        """)
    assert {fact.entity.name for fact in extraction.facts} == {"first", "third"}
    assert "begins on line 5" in extraction.problems[0]


def test_secrets_keep_the_names_of_their_keys_only(read: Read) -> None:
    """Whether a key exists is evidence; its value is nobody's business."""
    extraction = read("apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  password: aHVudGVyMg==\n")
    assert values(extraction, Entity("secret", "s")) == {"metadata.name": "s", "data.password": None}


def test_lists_are_read_item_by_item(read: Read) -> None:
    """Items of a PodList do not repeat their kind."""
    items = [{"metadata": {"name": f"web-{n}", "namespace": "shop", "managedFields": [{"x": 1}]}} for n in range(2)]
    extraction = read(json.dumps({"kind": "PodList", "apiVersion": "v1", "items": items}, indent=1))
    assert {fact.entity for fact in extraction.facts} == {Entity("pod", f"web-{n}", "shop") for n in range(2)}
    assert not [fact for fact in extraction.facts if "managedFields" in fact.attribute]


def test_references_of_other_kinds(read: Read) -> None:
    """Each name that an object gives is a relation with the line on which it stands."""
    extraction = read("""
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: web, namespace: shop}
        spec:
          scaleTargetRef: {kind: Deployment, name: web}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: read, namespace: shop}
        roleRef: {kind: Role, name: reader}
        subjects:
        - kind: ServiceAccount
          name: runner
        - kind: User
          name: jane
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: pv-1}
        spec:
          storageClassName: standard
          claimRef: {name: data, namespace: shop}
        ---
        apiVersion: networking.k8s.io/v1beta1
        kind: Ingress
        metadata: {name: shop, namespace: shop}
        spec:
          backend: {serviceName: web, servicePort: 80}
        """)
    related = {(r.kind, r.a.kind, r.b.kind, r.b.name) for r in extraction.relations}
    assert related == {
        ("references", "horizontalpodautoscaler", "deployment", "web"),
        ("references", "rolebinding", "role", "reader"),
        ("references", "rolebinding", "serviceaccount", "runner"),
        ("references", "persistentvolume", "persistentvolumeclaim", "data"),
        ("references", "persistentvolume", "storageclass", "standard"),
        ("references", "ingress", "service", "web"),
    }


def test_event_objects_of_both_apis(read: Read) -> None:
    """core/v1 calls the object involvedObject, events.k8s.io/v1 regarding."""
    extraction = read("""
        apiVersion: v1
        kind: Event
        metadata: {name: web-0.1}
        involvedObject: {kind: Pod, name: web-0, namespace: shop}
        reason: BackOff
        message: Back-off restarting failed container
        type: Warning
        count: 4
        lastTimestamp: "2026-03-02T10:00:00Z"
        ---
        apiVersion: events.k8s.io/v1
        kind: Event
        metadata: {name: node-a.1}
        regarding: {kind: Node, name: node-a, namespace: default}
        reason: Node Not Ready
        note: gone
        eventTime: "2026-03-02T10:00:05Z"
        ---
        apiVersion: v1
        kind: Event
        metadata: {name: nothing}
        """)
    events = {fact.attribute: fact for fact in extraction.facts if fact.attribute.startswith("event.")}
    assert events["event.BackOff"].count == 4
    assert events["event.BackOff"].when == 1772445600.0
    assert events["event.Node_Not_Ready"].entity == Entity("node", "node-a")
    assert events["event.Node_Not_Ready"].value == "gone"


VENDOR = {
    "pods": [
        {
            "name": "web-7f9dd8b6c4-x7gr9",
            "namespace": "shop",
            "phase": "Running",
            "node_name": "node-a",
            "deletion_timestamp": None,
            "containers": [
                {
                    "name": "web",
                    "image": "web:1",
                    "ready": False,
                    "restart_count": 6,
                    "state": {"waiting": True, "reason": "CrashLoopBackOff"},
                    "last_state": {"terminated": {"exit_code": 137, "reason": "OOMKilled"}},
                }
            ],
            "init_containers": [{"name": "wait", "ready": True, "state": {"exit_code": 0}}],
            "conditions": [{"type": "Ready", "status": "False", "reason": "", "message": ""}],
        }
    ],
    "nodes": [
        {
            "name": "node-a",
            "ready": "Unknown",
            "memory_pressure": True,
            "capacity_cpu": "4",
            "allocatable_cpu": "3500m",
        },
        {"name": "node-b", "conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "4"}},
    ],
    "deployments": [{"name": "web", "namespace": "shop", "desired": 3, "ready": 2, "unavailable": 1}],
    "warning_events": [
        {
            "namespace": "shop",
            "reason": "BackOff",
            "message": "Back-off restarting failed container web",
            "type": "Warning",
            "count": 9,
            "involved_object": "Pod/web-7f9dd8b6c4-x7gr9",
            "last_time": "2026-03-02T10:00:00Z",
        },
        {"reason": "NodeNotReady", "message": "gone", "object": {"kind": "Node", "name": "node-a"}},
        {"reason": "Lost", "message": "about nothing"},
    ],
}


def test_vendor_objects_have_the_shape_of_the_api(read: Read) -> None:
    """Flat snake_case renderings and the API's own give the same facts."""
    extraction = read(json.dumps(VENDOR, indent=1))
    pod = values(extraction, Entity("pod", "web-7f9dd8b6c4-x7gr9", "shop"))
    base = "status.containerStatuses.web"
    assert pod[f"{base}.state.waiting.reason"] == "CrashLoopBackOff"
    assert pod[f"{base}.lastState.terminated.exitCode"] == 137
    assert pod[f"{base}.restartCount"] == 6
    assert pod["status.initContainerStatuses.wait.state.terminated.exitCode"] == 0
    assert pod["spec.containers.web.image"] == "web:1"
    assert pod["status.conditions.Ready.status"] == "False"
    assert "status.conditions.Ready.reason" not in pod
    assert "metadata.deletionTimestamp" not in pod
    node = values(extraction, Entity("node", "node-a"))
    assert node["status.conditions.Ready.status"] == "Unknown"
    assert node["status.conditions.MemoryPressure.status"] == "True"
    assert node["status.allocatable.cpu"] == "3500m"
    assert values(extraction, Entity("node", "node-b"))["status.allocatable.cpu"] == "4"
    deployment = values(extraction, Entity("deployment", "web", "shop"))
    assert deployment["spec.replicas"] == 3
    assert deployment["status.unavailableReplicas"] == 1
    backoff = next(fact for fact in extraction.facts if fact.attribute == "event.BackOff")
    assert (backoff.entity.name, backoff.count, backoff.when) == ("web-7f9dd8b6c4-x7gr9", 9, 1772445600.0)


DUMP = """{
    "kind": "NodeList",
    "items": [
        {
            "metadata": {
                "name": "node-a"
            }
        }
    ]
}
{
    "kind": "PodList",
    "items": [
        {
            "metadata": {
                "name": "web-0",
                "namespace": "shop"
            }
        }
    ]
}
{
    "kind": "Broken",
    oops
}
==== START logs for container web of pod shop/web-0 ====
2026-03-02T10:00:00Z ERROR dial tcp 10.0.0.5:5432: connect: connection refused
==== END logs for container web of pod shop/web-0 ====
==== START logs for container web of pod shop/cut-0 ====
panic: runtime error
"""


def test_cluster_dump_has_objects_and_logs_of_pods(read: Read) -> None:
    """`kubectl cluster-info dump` prints JSON lists, then the logs in frames."""
    extraction = read(DUMP)
    assert extraction.source.kind == "cluster_dump"
    names = {fact.entity for fact in extraction.facts if fact.attribute == "metadata.name"}
    assert names == {Entity("node", "node-a"), Entity("pod", "web-0", "shop")}
    refused = [fact for fact in extraction.facts if fact.attribute == "signature.connection.refused"]
    assert {fact.entity for fact in refused} == {Entity("pod", "web-0", "shop")}
    assert any("line 22" in problem for problem in extraction.problems)


@given(st.integers(min_value=0, max_value=10**9))
def test_quantities_keep_their_order_across_suffixes(number: int) -> None:
    """1000m is 1; a Ki is more than a k."""
    assert quantity(f"{number}m") == number * 1e-3
    whole, kilo, kibi = (quantity(f"{number}{suffix}") for suffix in ("", "k", "Ki"))
    assert whole is not None
    assert kilo is not None
    assert kibi is not None
    assert whole <= kilo <= kibi


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_none_and_a_moment_or_none(text: str) -> None:
    """Hostile values never raise."""
    assert quantity(text) is None or quantity(text) is not None
    found = moment(text)
    assert found is None or isinstance(found, float)


def test_values_that_are_no_quantities() -> None:
    """A flag is not 1."""
    assert quantity(True) is None
    assert quantity(None) is None
    assert quantity("soon") is None


def test_moments_without_a_zone_are_utc() -> None:
    """The machine's own zone must not change a record."""
    assert moment("2026-03-02T10:00:00") == moment("2026-03-02T10:00:00Z") == moment("Mon, 02 Mar 2026 10:00:00 +0000")
