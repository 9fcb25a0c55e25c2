"""Requests and limits that do not fit the nodes, the use, or each other."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject
from faultmaven_core.analysis.graph.kubernetes_quantity import quantity
from faultmaven_core.analysis.model import Category, Fact, Violation

NEAR_LIMIT = 0.9
"""Share of its memory limit at which a container's use is near an end by the kernel."""

_CORE = ("cpu", "memory", "ephemeral-storage", "storage", "pods")


def _requests(each: KubernetesObject, cluster: Cluster) -> dict[str, tuple[float, Fact]]:
    """What a pod of the object asks for in all (limits stand for requests that are not given), with one place of each."""
    total: dict[str, tuple[float, Fact]] = {}
    for container in cluster.containers(each, initial=False):
        asked: dict[str, Fact] = {}
        for part in ("limits", "requests"):
            base = container.at(f"resources.{part}")
            asked |= {fact.attribute[len(base) + 1 :]: fact for fact in each.under(base)}
        for name, fact in asked.items():
            amount = quantity(fact.value)
            if amount is not None:
                total[name] = (total.get(name, (0.0, fact))[0] + amount, fact)
    return total


def _offers(node: KubernetesObject, resource: str) -> float | None:
    for group in ("allocatable", "capacity"):
        found = node.number(f"status.{group}.{resource}")
        if found is not None:
            return found
    return None


@check(
    "kubernetes.requests_exceed_every_node",
    why="The scheduler places a pod only where its whole request fits; where no node is large enough it stays Pending.",
    remedy="Lower the request, or add a node that is large enough.",
    category=Category.RESOURCE_EXHAUSTION,
)
def requests_exceed_every_node(cluster: Cluster) -> Iterator[Violation]:
    """A pod asks for more than any single node has."""
    nodes = list(cluster.of_kind("node"))
    for each in cluster.workloads:
        for resource, (asked, fact) in _requests(each, cluster).items():
            offers = [amount for node in nodes if (amount := _offers(node, resource)) is not None]
            if resource in _CORE and offers and asked > max(offers):
                yield broken(
                    each,
                    [fact, *(node.fact(f"status.allocatable.{resource}") for node in nodes)],
                    f"{each} requests {fact.value} {resource}, more than the largest node can give.",
                    expected=f"a node with {fact.value} {resource}",
                    resource=resource,
                    amount=fact.value,
                )


@check(
    "kubernetes.extended_resource_not_offered",
    why="Extended resources such as GPUs exist only on nodes whose device plugin advertises them; elsewhere the pod stays Pending.",
    remedy="Install the device plugin, add nodes that have the device, or remove the request.",
    category=Category.RESOURCE_EXHAUSTION,
)
def extended_resource_not_offered(cluster: Cluster) -> Iterator[Violation]:
    """A pod asks for a device that no node offers.

    Possible only where no node's resources are shown and nothing shows that the pod is placed.
    """
    nodes = [
        node for node in cluster.of_kind("node") if node.keys("status.allocatable") or node.keys("status.capacity")
    ]
    for each in cluster.workloads:
        placed = (
            each.text("spec.nodeName") or each.number("status.readyReplicas") or each.number("status.availableReplicas")
        )
        for resource, (asked, fact) in _requests(each, cluster).items():
            enough = any((_offers(node, resource) or 0) >= asked for node in nodes)
            if "/" in resource and asked > 0 and not enough and not placed:
                yield broken(
                    each,
                    [fact],
                    f"{each} requests {fact.value} {resource}, which {'no node offers' if nodes else 'no node in the evidence offers'}.",
                    expected=f"a node that offers {fact.value} {resource}",
                    certain=bool(nodes),
                    resource=resource,
                    amount=fact.value,
                )


@check(
    "kubernetes.limit_below_request",
    why="The API refuses a container whose limit is below its request; the pod is never created.",
    remedy="Raise the limit to at least the request.",
    category=Category.CONFIGURATION_ERROR,
)
def limit_below_request(cluster: Cluster) -> Iterator[Violation]:
    """A container's limit is below its request."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            for resource in ("cpu", "memory"):
                limit, request = (container.fact(f"resources.{part}.{resource}") for part in ("limits", "requests"))
                most, least = (quantity(fact.value) if fact is not None else None for fact in (limit, request))
                if (
                    limit is not None
                    and request is not None
                    and most is not None
                    and least is not None
                    and most < least
                ):
                    yield broken(
                        each,
                        [limit, request],
                        f"Container {container.name} of {each} limits {resource} to {limit.value} but requests {request.value}.",
                        expected=f"a limit of at least {request.value}",
                        container=container.name,
                        resource=resource,
                        limit=limit.value,
                    )


@check(
    "kubernetes.memory_use_near_limit",
    why="At its memory limit a container is killed by the kernel (OOMKilled, exit code 137).",
    remedy="Raise the limit, or find what holds the memory.",
    category=Category.RESOURCE_EXHAUSTION,
)
def memory_use_near_limit(cluster: Cluster) -> Iterator[Violation]:
    """A pod uses almost all the memory that its containers may use."""
    for pod in cluster.of_kind("pod"):
        use = pod.fact("usage.memory")
        limits = [c.fact("resources.limits.memory") for c in cluster.containers(pod, initial=False)]
        amounts = [quantity(fact.value) if fact is not None else None for fact in limits]
        used = quantity(use.value) if use is not None else None
        if used is None or not amounts or not all(amounts):
            continue
        allowed = sum(amount for amount in amounts if amount is not None)
        if used >= NEAR_LIMIT * allowed:
            yield broken(
                pod,
                [use, *limits],
                f"{pod} uses {used / 2**20:.0f} MiB of the {allowed / 2**20:.0f} MiB of memory that its limits allow.",
                expected=f"less than {NEAR_LIMIT:.0%} of the limit",
                resource="memory",
                limit=f"{allowed / 2**20:.0f}Mi",
            )


@check(
    "kubernetes.quota_exceeded",
    why="The API refuses new pods of the namespace while its quota is used up; controllers keep trying.",
    remedy="Raise the quota, or free what uses it.",
    category=Category.RESOURCE_EXHAUSTION,
)
def quota_exceeded(cluster: Cluster) -> Iterator[Violation]:
    """A quota keeps a controller from creating pods."""
    for each in cluster.of_kind("replicaset", "deployment", "statefulset", "daemonset", "job"):
        said = [*each.all("event.FailedCreate"), each.fact("status.conditions.ReplicaFailure.message")]
        for fact in said:
            if fact is not None and "exceeded quota" in str(fact.value):
                yield broken(
                    each,
                    [fact],
                    f"{each} cannot create pods: {fact.value}",
                    expected="requests within the namespace's quota",
                    message=fact.value,
                )
                break
