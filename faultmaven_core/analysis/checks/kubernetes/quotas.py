"""Quotas of a namespace that leave no room."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject, same_namespace
from faultmaven_core.analysis.graph.kubernetes_quantity import quantity
from faultmaven_core.analysis.model import Category, Fact, Violation

_NAMES = {
    "cpu": ("requests", "cpu"),
    "requests.cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
"""What each quota counts: k8s.io/kubernetes/pkg/quota/v1/evaluator/core/pods.go."""


def _wanted(each: KubernetesObject, part: str, resource: str, cluster: Cluster) -> tuple[float, list[Fact]]:
    """What all replicas of a workload ask for, and where it says so."""
    facts = [
        container.fact(f"resources.{part}.{resource}") or container.fact(f"resources.limits.{resource}")
        for container in cluster.containers(each, initial=False)
    ]
    shown = [fact for fact in facts if fact is not None]
    replicas = each.number("spec.replicas")
    return sum(quantity(fact.value) or 0.0 for fact in shown) * (1.0 if replicas is None else replicas), shown


@check(
    "kubernetes.quota_too_small",
    why="The API refuses the pods that would pass the quota, so that replicas stay missing (FailedCreate, exceeded quota).",
    remedy="Raise the quota, or lower replicas or requests.",
    category=Category.RESOURCE_EXHAUSTION,
)
def quota_too_small(cluster: Cluster) -> Iterator[Violation]:
    """The workloads of a namespace ask for more than its quota allows."""
    for quota in cluster.of_kind("resourcequota"):
        near = [each for each in cluster.workloads if same_namespace(each.entity.namespace, quota.entity.namespace)]
        for name, (part, resource) in _NAMES.items():
            hard = quota.fact(f"spec.hard.{name}")
            allowed = quantity(hard.value) if hard is not None else None
            asked = {each.entity: _wanted(each, part, resource, cluster) for each in near}
            total = sum(amount for amount, _ in asked.values())
            if hard is not None and allowed is not None and total > allowed:
                most = max(near, key=lambda each: asked[each.entity][0])
                amount, places = asked[most.entity]
                yield broken(
                    most,
                    [hard, *places, most.fact("spec.replicas")],
                    f"{most} asks for {amount:g} {resource} in all ({most.text('spec.replicas') or 1} replicas of "
                    f"{places[0].value if places else 0}), but ResourceQuota {quota.entity.name} allows {name} {hard.value}: exceeded quota.",
                    expected=f"{name} of at most {hard.value}",
                    quota=quota.entity.name,
                    resource=resource,
                    limited=hard.value,
                )


@check(
    "kubernetes.limit_range_passed",
    why="The API refuses pods whose containers pass the maximum or stay below the minimum of the namespace's limit range.",
    remedy="Bring the container's resources within the range, or change the range.",
    category=Category.CONFIGURATION_ERROR,
)
def limit_range_passed(cluster: Cluster) -> Iterator[Violation]:
    """A container asks for more than a limit range of its namespace allows."""
    for limits in cluster.of_kind("limitrange"):
        for each in cluster.workloads:
            for container in (
                cluster.containers(each) if same_namespace(each.entity.namespace, limits.entity.namespace) else ()
            ):
                for resource in ("cpu", "memory"):
                    most = limits.fact(f"spec.limits.Container.max.{resource}")
                    given = container.fact(f"resources.limits.{resource}") or container.fact(
                        f"resources.requests.{resource}"
                    )
                    allowed, asked = (quantity(fact.value) if fact is not None else None for fact in (most, given))
                    if most and given and allowed is not None and asked is not None and asked > allowed:
                        yield broken(
                            each,
                            [given, most],
                            f"Container {container.name} of {each} asks for {given.value} {resource}, "
                            f"but LimitRange {limits.entity.name} allows {most.value}.",
                            expected=f"at most {most.value} {resource}",
                            container=container.name,
                            resource=resource,
                        )
