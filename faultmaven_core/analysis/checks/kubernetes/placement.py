"""Pods that find no node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import complaints
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster, pod_labels
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
        # Labels that the cloud or the kubelet sets are there without anybody having to show them.
        wanted = {key: value for key, value in each.mapping(path).items() if nodes or "kubernetes.io/" not in key}
        placed = (
            each.text("spec.nodeName") or each.number("status.readyReplicas") or each.number("status.availableReplicas")
        )
        if wanted and not placed and not any(wanted.items() <= labels.items() for labels in nodes):
            shown = ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()))
            yield broken(
                each,
                each.under(path),
                f"{each} wants a node with the labels {shown}; {'no node has them' if nodes else 'no node in the evidence has them'}.",
                expected=f"a node labelled {shown}",
                certain=bool(nodes),
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
    "kubernetes.replicas_exclude_each_other",
    why="With required anti-affinity by host each node takes one replica; the others stay Pending.",
    remedy="Make the anti-affinity preferred, add nodes, or lower the replicas.",
    category=Category.CONFIGURATION_ERROR,
)
def replicas_exclude_each_other(cluster: Cluster) -> Iterator[Violation]:
    """Replicas may not share a node, and there are fewer nodes than replicas."""
    nodes = list(cluster.of_kind("node"))
    for each in cluster.of_kind("deployment", "statefulset"):
        rules = f"{TEMPLATES[each.entity.kind]}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        own = pod_labels(each).items()
        for key in each.keys(rules):
            host = each.text(f"{rules}.{key}.topologyKey") == "kubernetes.io/hostname"
            wanted = each.mapping(f"{rules}.{key}.labelSelector.matchLabels")
            replicas = each.number("spec.replicas") or 1
            ready = each.number("status.readyReplicas") or 0
            if host and wanted.items() <= own and replicas > max(1, len(nodes)) and ready < replicas:
                yield broken(
                    each,
                    [each.fact("spec.replicas"), *each.under(f"{rules}.{key}")],
                    f"{each} wants {replicas:.0f} replicas, each on a node of its own (required podAntiAffinity), "
                    f"{f'but there are only {len(nodes)} nodes' if nodes else 'which takes as many nodes'}: the rest stays Pending.",
                    expected=f"{replicas:.0f} nodes",
                    certain=bool(nodes),
                    wanted=f"{replicas:.0f}",
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
