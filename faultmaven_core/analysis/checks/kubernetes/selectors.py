"""Selectors that match nothing, or not what they are meant for."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, pod_labels, same_namespace
from faultmaven_core.analysis.model import Category, Violation


@check(
    "kubernetes.service_selects_no_pod",
    why="A service without matching pods has no endpoints; every connection to it is refused or times out.",
    remedy="Make the service's selector equal to labels that the pods carry.",
    category=Category.CONFIGURATION_ERROR,
)
def service_selects_no_pod(cluster: Cluster) -> Iterator[Violation]:
    """A service's selector matches no pod.

    Counts only where the namespace shows workloads whose labels are known.
    """
    for service in cluster.of_kind("service"):
        wanted = service.mapping("spec.selector")
        near = [each for each in cluster.workloads if same_namespace(each.entity.namespace, service.entity.namespace)]
        near += [
            pod for pod in cluster.of_kind("pod") if same_namespace(pod.entity.namespace, service.entity.namespace)
        ]
        labelled = [each for each in near if pod_labels(each)]
        if not wanted or not labelled or any(wanted.items() <= pod_labels(each).items() for each in labelled):
            continue
        alike = max(labelled, key=lambda each: len(wanted.keys() & pod_labels(each).keys()))
        shown = ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
        carried = ",".join(f"{key}={value}" for key, value in sorted(pod_labels(alike).items()))
        yield broken(
            service,
            [*service.under("spec.selector"), *alike.under("spec.template.metadata.labels")],
            f"The selector {shown} of Service {service.entity.name} matches no pod; {alike} has the labels {carried}.",
            expected=f"a pod with the labels {shown}",
            otherwise="the service would have endpoints",
            selector=shown,
            labels=carried,
            other=alike.entity.name,
        )


@check(
    "kubernetes.workload_selector_differs",
    why="The API refuses such a workload, or the controller never finds the pods that it made.",
    remedy="Make spec.selector.matchLabels equal to labels of spec.template.metadata.labels.",
    category=Category.CONFIGURATION_ERROR,
)
def workload_selector_differs(cluster: Cluster) -> Iterator[Violation]:
    """A workload's selector does not match its own pod template."""
    for each in cluster.of_kind("deployment", "statefulset", "daemonset", "replicaset"):
        wanted, labels = each.mapping("spec.selector.matchLabels"), pod_labels(each)
        if wanted and labels and not wanted.items() <= labels.items():
            shown = ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
            carried = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
            yield broken(
                each,
                [*each.under("spec.selector.matchLabels"), *each.under("spec.template.metadata.labels")],
                f"The selector {shown} of {each} does not match the labels {carried} of its own pod template.",
                expected=f"pod template labels {shown}",
                selector=shown,
                labels=carried,
            )


@check(
    "kubernetes.disruption_budget_blocks",
    why="Draining a node, and so every upgrade of it, waits for ever.",
    remedy="Allow at least one pod to be away: lower minAvailable or raise the replicas.",
    category=Category.CONFIGURATION_ERROR,
)
def disruption_budget_blocks(cluster: Cluster) -> Iterator[Violation]:
    """A disruption budget allows no eviction."""
    for budget in cluster.of_kind("poddisruptionbudget"):
        wanted = budget.mapping("spec.selector.matchLabels")
        least, most = budget.number("spec.minAvailable"), budget.text("spec.maxUnavailable")
        for each in cluster.of_kind("deployment", "statefulset"):
            replicas = each.number("spec.replicas")
            if not wanted or not wanted.items() <= pod_labels(each).items() or not replicas:
                continue
            if (
                (least is not None and least >= replicas)
                or most in ("0", "0%")
                or budget.text("spec.minAvailable") == "100%"
            ):
                yield broken(
                    budget,
                    [budget.fact("spec.minAvailable"), budget.fact("spec.maxUnavailable"), each.fact("spec.replicas")],
                    f"PodDisruptionBudget {budget.entity.name} lets no pod of {each} with {replicas:.0f} replicas be evicted.",
                    expected="at least one pod may be away",
                    certain=False,
                    other=each.entity.name,
                )
