"""Policies and settings of the network that cut pods off."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster, KubernetesObject
from faultmaven_core.analysis.model import Category, Violation


def _allows(policy: KubernetesObject, direction: str) -> bool:
    """Whether a policy has any rule for a direction; an empty rule `{}` leaves no fact but allows all."""
    return bool(policy.keys(f"spec.{direction}"))


def _allowed_elsewhere(policy: KubernetesObject, direction: str, cluster: Cluster) -> bool:
    """Policies add up: what one denies another may allow."""
    others = [other for other in cluster.of_kind("networkpolicy") if other.entity != policy.entity]
    return any(other.entity.namespace == policy.entity.namespace and _allows(other, direction) for other in others)


@check(
    "kubernetes.policy_denies_ingress",
    why="Once a policy selects a pod for ingress, only what some policy allows gets through; with no rule nothing does.",
    remedy="Add a policy that allows the traffic the pods need.",
    category=Category.CONFIGURATION_ERROR,
)
def policy_denies_ingress(cluster: Cluster) -> Iterator[Violation]:
    """A network policy denies its pods all incoming traffic, and no other allows any."""
    for policy in cluster.of_kind("networkpolicy"):
        types = policy.texts("spec.policyTypes")
        if "Ingress" in types and not _allows(policy, "ingress") and not _allowed_elsewhere(policy, "ingress", cluster):
            yield broken(
                policy,
                [policy.fact("metadata.name"), *policy.under("spec.policyTypes")],
                f"NetworkPolicy {policy.entity.name} denies all ingress to its pods and no other policy allows any.",
                expected="a rule that allows the traffic the pods serve",
                direction="ingress",
            )


@check(
    "kubernetes.policy_denies_egress",
    why="Without egress a pod cannot even ask DNS: every name lookup times out.",
    remedy="Allow egress to what the pods call, and UDP and TCP 53 to the cluster's DNS.",
    category=Category.CONFIGURATION_ERROR,
)
def policy_denies_egress(cluster: Cluster) -> Iterator[Violation]:
    """A network policy denies its pods all outgoing traffic, DNS included, and no other allows any."""
    for policy in cluster.of_kind("networkpolicy"):
        types = policy.texts("spec.policyTypes")
        if "Egress" in types and not _allows(policy, "egress") and not _allowed_elsewhere(policy, "egress", cluster):
            yield broken(
                policy,
                [policy.fact("metadata.name"), *policy.under("spec.policyTypes")],
                f"NetworkPolicy {policy.entity.name} denies all egress of its pods, DNS included, and no other policy allows any.",
                expected="a rule that allows DNS and what the pods call",
                direction="egress",
            )


@check(
    "kubernetes.dns_policy_skips_cluster",
    why="With dnsPolicy Default a pod asks the node's resolver, which knows no service names.",
    remedy="Use dnsPolicy ClusterFirst (ClusterFirstWithHostNet for pods on the host's network).",
    category=Category.CONFIGURATION_ERROR,
)
def dns_policy_skips_cluster(cluster: Cluster) -> Iterator[Violation]:
    """A pod that calls services by name does not ask the cluster's DNS."""
    for each in cluster.workloads:
        base = TEMPLATES[each.entity.kind]
        policy, host = each.fact(f"{base}.dnsPolicy"), each.fact(f"{base}.hostNetwork")
        outside = (policy is not None and policy.value == "Default") or (
            host is not None and host.value is True and (policy is None or policy.value == "ClusterFirst")
        )
        called = sorted(
            b.name for b, r in cluster.graph.neighbours(each.entity) if r.kind == "calls" and r.a == each.entity
        )
        if outside and called:
            yield broken(
                each,
                [policy, host],
                f"{each} calls {', '.join(called)} by name but does not ask the cluster's DNS.",
                expected="dnsPolicy ClusterFirst or ClusterFirstWithHostNet",
                other=called[0],
            )


@check(
    "kubernetes.variable_given_twice",
    why="Of two variables with one name the last wins, and nobody who reads the first knows.",
    remedy="Remove one of them.",
    category=Category.CONFIGURATION_ERROR,
)
def variable_given_twice(cluster: Cluster) -> Iterator[Violation]:
    """A container gets an environment variable twice, with different values."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            for name in each.keys(container.at("env")):
                facts = each.all(container.at(f"env.{name}.value"))
                within = [f for f in facts if f.spans[0].sha256 == facts[0].spans[0].sha256]
                if len({f.value for f in within}) > 1:
                    yield broken(
                        each,
                        within,
                        f"Container {container.name} of {each} gets {name} twice: "
                        f"{' and '.join(str(f.value) for f in within)}.",
                        expected=f"one value for {name}",
                        container=container.name,
                    )
