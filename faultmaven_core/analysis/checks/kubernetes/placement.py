"""Pods that find no node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import complaints
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster
from faultmaven_core.analysis.model import Category, Violation

_INSUFFICIENT = re.compile(r"Insufficient (?P<resource>[\w./-]*\w)")


@check(
    "kubernetes.pod_unschedulable",
    why="A pod without a node stays Pending; it runs nowhere.",
    remedy="Change what the scheduler names: requests, selectors, tolerations, volumes; or add a node that fits.",
    category=Category.RESOURCE_EXHAUSTION,
)
def pod_unschedulable(cluster: Cluster) -> Iterator[Violation]:
    """The scheduler finds no node for a pod."""
    for pod in cluster.of_kind("pod"):
        if not complaints(pod, cluster) or pod.text("spec.nodeName"):
            continue
        told = [*pod.all("event.FailedScheduling"), pod.fact("status.conditions.PodScheduled.message")]
        said = [fact for fact in told if fact is not None]
        if not said:
            continue
        text = str(said[-1].value)
        lacking = _INSUFFICIENT.search(text)
        resource = lacking["resource"] if lacking else ""
        asked = [
            f
            for c in cluster.containers(pod)
            for p in ("requests", "limits")
            if (f := c.fact(f"resources.{p}.{resource}"))
        ]
        yield broken(
            pod,
            [said[-1], *asked[:1]],
            f"{pod} is Pending because the scheduler finds no node for it: {text}",
            expected="a node that fits",
            resource=resource,
            amount=asked[0].value if asked else "",
            message=text.partition(" preemption:")[0],
        )


@check(
    "kubernetes.node_selector_matches_no_node",
    why="The scheduler places the pod only on nodes with these labels; none has them.",
    remedy="Label a node, or correct the nodeSelector.",
    category=Category.CONFIGURATION_ERROR,
)
def node_selector_matches_no_node(cluster: Cluster) -> Iterator[Violation]:
    """A node selector fits no node."""
    nodes = [node.mapping("metadata.labels") for node in cluster.of_kind("node") if node.keys("metadata.labels")]
    for each in cluster.workloads:
        path = f"{TEMPLATES[each.entity.kind]}.nodeSelector"
        wanted = each.mapping(path)
        if wanted and nodes and not any(wanted.items() <= labels.items() for labels in nodes):
            shown = ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()))
            yield broken(
                each,
                each.under(path),
                f"{each} wants a node with the labels {shown}; no node has them.",
                expected=f"a node labelled {shown}",
                selector=shown,
            )


@check(
    "kubernetes.taints_not_tolerated",
    why="A node with a NoSchedule taint takes only pods that tolerate it.",
    remedy="Add the toleration, or remove the taint.",
    category=Category.CONFIGURATION_ERROR,
)
def taints_not_tolerated(cluster: Cluster) -> Iterator[Violation]:
    """Every node has a taint that a workload does not tolerate."""
    nodes = list(cluster.of_kind("node"))
    taints = {
        node.entity: [
            fact
            for key in node.keys("spec.taints")
            if node.text(f"spec.taints.{key}.effect") in ("NoSchedule", "NoExecute")
            and (fact := node.fact(f"spec.taints.{key}.key")) is not None
        ]
        for node in nodes
    }
    for each in cluster.workloads if nodes and all(taints.values()) else ():
        base = f"{TEMPLATES[each.entity.kind]}.tolerations"
        tolerated = [str(fact.value) for fact in each.under(base)]
        anything = any(
            each.text(f"{base}.{key}.operator") == "Exists" and not each.text(f"{base}.{key}.key")
            for key in each.keys(base)
        )
        free = any(all(any(str(t.value) in text for text in tolerated) for t in found) for found in taints.values())
        if not anything and not free and not each.text("spec.nodeName"):
            first = next(iter(taints.values()))[0]
            yield broken(
                each,
                [found[0] for found in taints.values()],
                f"{each} tolerates no taint {first.value}, which every node has.",
                expected=f"a toleration for {first.value}",
                taint=first.value,
            )


@check(
    "kubernetes.pod_evicted",
    why="The kubelet ends pods when its node runs out of memory, disk or process ids.",
    remedy="Free or add the resource that the message names; set requests so that the scheduler leaves room.",
    category=Category.RESOURCE_EXHAUSTION,
)
def pod_evicted(cluster: Cluster) -> Iterator[Violation]:
    """A pod was evicted from its node."""
    for pod in cluster.of_kind("pod"):
        reason = pod.fact("status.reason")
        said = pod.fact("status.message") or next(iter(pod.all("event.Evicted")), None)
        if reason is not None and reason.value == "Evicted" and complaints(pod, cluster):
            message = str(said.value) if said is not None else ""
            yield broken(
                pod,
                [reason, said],
                f"{pod} was evicted{': ' + message if message else ''}",
                expected="a node with enough of every resource",
                message=message,
            )
