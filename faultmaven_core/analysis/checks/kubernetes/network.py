"""Policies and settings of the network that cut pods off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster, KubernetesObject, pod_labels
from faultmaven_core.analysis.model import Category, Violation


def _allows(policy: KubernetesObject, direction: str) -> bool:
    """Whether a policy has any rule for a direction; an empty rule `{}` leaves no fact but allows all."""
    return bool(policy.keys(f"spec.{direction}"))


def _denying(cluster: Cluster, direction: str) -> Iterator[KubernetesObject]:
    """Policies that deny a direction where no other allows it: policies add up, what one denies another may allow."""
    allowed = {p.entity.namespace for p in cluster.of_kind("networkpolicy") if _allows(p, direction)}
    for policy in cluster.of_kind("networkpolicy"):
        if direction.capitalize() in policy.texts("spec.policyTypes") and policy.entity.namespace not in allowed:
            yield policy


def _denied(policy: KubernetesObject, direction: str, what: str, *, expected: str) -> Violation:
    return broken(
        policy,
        [policy.fact("metadata.name"), *policy.under("spec.policyTypes")],
        f"NetworkPolicy {policy.entity.name} denies all {what} and no other policy allows any.",
        expected=expected,
        direction=direction,
    )


@check(
    "kubernetes.policy_denies_ingress",
    why="Once a policy selects a pod for ingress, only what some policy allows gets through; with no rule nothing does.",
    remedy="Add a policy that allows the traffic the pods need.",
    category=Category.CONFIGURATION_ERROR,
)
def policy_denies_ingress(cluster: Cluster) -> Iterator[Violation]:
    """A network policy denies its pods all incoming traffic, and no other allows any."""
    for policy in _denying(cluster, "ingress"):
        yield _denied(
            policy, "ingress", "ingress to its pods", expected="a rule that allows the traffic the pods serve"
        )


@check(
    "kubernetes.policy_denies_egress",
    why="Without egress a pod cannot even ask DNS: every name lookup times out.",
    remedy="Allow egress to what the pods call, and UDP and TCP 53 to the cluster's DNS.",
    category=Category.CONFIGURATION_ERROR,
)
def policy_denies_egress(cluster: Cluster) -> Iterator[Violation]:
    """A network policy denies its pods all outgoing traffic, DNS included, and no other allows any."""
    for policy in _denying(cluster, "egress"):
        yield _denied(
            policy,
            "egress",
            "egress of its pods, DNS included,",
            expected="a rule that allows DNS and what the pods call",
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
                        certain=False,
                        container=container.name,
                    )


@check(
    "kubernetes.policy_blocks_caller",
    why="A pod that a policy selects takes only the traffic that some policy allows; the caller's connections time out.",
    remedy="Allow the caller's labels in the policy's ingress rules.",
    category=Category.CONFIGURATION_ERROR,
)
def policy_blocks_caller(cluster: Cluster) -> Iterator[Violation]:
    """A network policy does not let in a workload that calls the pods which it selects."""
    for relation in cluster.graph.relations:
        if relation.kind != "calls":
            continue
        caller, service = cluster.object(relation.a), cluster.object(relation.b)
        labels = caller.entity.kind in TEMPLATES and pod_labels(caller)
        guards = [policy for policy in cluster.of_kind("networkpolicy") if labels and _guards(policy, service)]
        if labels and guards and not any(_lets_in(policy, labels) for policy in guards):
            first = guards[0]
            yield broken(
                first,
                [first.fact("metadata.name"), *first.under("spec.ingress")],
                f"NetworkPolicy {first.entity.name} does not let {caller} reach Service {service.entity.name}: "
                "its connections time out.",
                expected=f"an ingress rule that allows the pods of {caller}",
                other=caller.entity.name,
                host=service.entity.name,
            )


def _guards(policy: KubernetesObject, service: KubernetesObject) -> bool:
    """Whether a policy selects, for ingress, the pods behind a service."""
    if policy.entity.namespace != service.entity.namespace:
        return False
    types = policy.texts("spec.policyTypes")
    wanted = policy.mapping("spec.podSelector.matchLabels")
    return ("Ingress" in types or not types) and wanted.items() <= service.mapping("spec.selector").items()


def _lets_in(policy: KubernetesObject, labels: Mapping[str, str]) -> bool:
    """Whether a rule lets in pods with these labels; what cannot be told from labels counts as yes."""
    for rule in policy.keys("spec.ingress"):
        peers = policy.keys(f"spec.ingress.{rule}.from")
        for peer in peers:
            path = f"spec.ingress.{rule}.from.{peer}"
            wanted = policy.mapping(f"{path}.podSelector.matchLabels")
            other = [part for part in policy.keys(path) if part != "podSelector"]
            if other or not wanted or wanted.items() <= labels.items():
                return True
        if not peers:
            return True
    return False


_CLASSES = frozenset(
    {"nginx", "traefik", "alb", "gce", "gce-internal", "haproxy", "kong", "contour", "istio", "cilium", "webapprouting"}
)
"""Classes that ingress controllers install themselves."""


@check(
    "kubernetes.ingress_class_unknown",
    why="No controller takes up an ingress of a class that does not exist; it never gets an address.",
    remedy="Use a class that `kubectl get ingressclass` lists.",
    category=Category.CONFIGURATION_ERROR,
)
def ingress_class_unknown(cluster: Cluster) -> Iterator[Violation]:
    """An ingress has a class that does not exist."""
    for ingress in cluster.of_kind("ingress"):
        fact = ingress.fact("spec.ingressClassName") or ingress.fact("metadata.annotations.kubernetes.io/ingress.class")
        name = str(fact.value) if fact is not None else ""
        known = cluster.lists("ingressclass", "")
        if not name or cluster.find("ingressclass", name, "") is not None or (not known and name in _CLASSES):
            continue
        yield broken(
            ingress,
            [fact],
            f"Ingress {ingress.entity.name} has the ingress class {name}, "
            f"{'which does not exist' if known else 'which nothing in the evidence defines'}.",
            expected=f"an IngressClass {name}",
            certain=known,
            missing=name,
            missing_kind="IngressClass",
        )
