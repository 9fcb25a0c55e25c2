"""Permissions that accounts lack."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.checks.kubernetes.commands import script_of
from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster
from faultmaven_core.analysis.model import Category, Violation

_KUBECTL = re.compile(
    r"\bkubectl\s+(?:-n\s+\S+\s+|--namespace[= ]\S+\s+)?(?P<verb>get|list|delete|create|patch|watch)\s+(?P<resource>[a-z]+)\b"
)
_FORBIDDEN = re.compile(
    r'"?(?P<account>system:serviceaccount:[\w:.-]+)"? cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"'
)
_SHORT = {
    "po": "pods",
    "svc": "services",
    "cm": "configmaps",
    "deploy": "deployments",
    "ns": "namespaces",
    "no": "nodes",
}


def _rules(account: str, namespace: str, cluster: Cluster) -> list[tuple[set[str], set[str]]] | None:
    """What an account may do: (resources, verbs) of every rule; None where no binding of any account is shown."""
    bindings = list(cluster.of_kind("rolebinding", "clusterrolebinding"))
    if not bindings:
        return None
    found = []
    for binding in bindings:
        if not binding.fact(f"subjects.{account}.name"):
            continue
        role = cluster.find(binding.text("roleRef.kind").lower(), binding.text("roleRef.name"), namespace)
        if role is None:
            return None
        found += [
            (set(role.texts(f"rules.{key}.resources")), set(role.texts(f"rules.{key}.verbs")))
            for key in role.keys("rules")
        ]
    return found


@check(
    "kubernetes.account_lacks_permission",
    why="The API server answers 403 Forbidden to what no role of the account allows.",
    remedy="Add the verb and the resource to a role that is bound to the service account.",
    category=Category.SECURITY,
)
def account_lacks_permission(cluster: Cluster) -> Iterator[Violation]:
    """A container's script asks the API for something that its service account may not do."""
    for each in cluster.workloads:
        account = each.text(f"{TEMPLATES[each.entity.kind]}.serviceAccountName") or "default"
        allowed = _rules(account, each.entity.namespace, cluster)
        for container in cluster.containers(each) if allowed is not None else ():
            for match in _KUBECTL.finditer(script_of(container)):
                resource = _SHORT.get(match["resource"], match["resource"])
                plural = resource if resource.endswith("s") else f"{resource}s"
                verb = "list" if match["verb"] == "get" else match["verb"]
                if not any({plural, "*"} & rule[0] and {verb, "*"} & rule[1] for rule in allowed or ()):
                    yield broken(
                        each,
                        [*each.under(container.at("args")), *each.under(container.at("command"))],
                        f"Container {container.name} of {each} wants to {verb} {plural}, "
                        f"which no role of its ServiceAccount {account} allows: the API answers forbidden.",
                        expected=f"a role with the verb {verb} on {plural}",
                        account=account,
                        verb=verb,
                        resource=plural,
                    )


@check(
    "kubernetes.access_forbidden",
    why="The API refuses what the role bindings of an account do not allow.",
    remedy="Bind a role that allows the verb on the resource to the service account.",
    category=Category.SECURITY,
)
def access_forbidden(cluster: Cluster) -> Iterator[Violation]:
    """A service account lacks a permission that something asks for."""
    for fact in cluster.graph.all_facts("signature.kubernetes.forbidden"):
        match = _FORBIDDEN.search(str(fact.value))
        if match is not None:
            yield broken(
                cluster.object(fact.entity),
                [fact],
                f"{match['account']} may not {match['verb']} {match['resource']}.",
                expected=f"a role that allows {match['verb']} on {match['resource']}",
                account=match["account"],
                verb=match["verb"],
                resource=match["resource"],
            )
