"""Scripts and options of containers that cannot do what they are there for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.checks.kubernetes.commands import script_of
from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, Container, KubernetesObject
from faultmaven_core.analysis.graph.kubernetes_quantity import quantity
from faultmaven_core.analysis.model import Category, Fact, Violation

_MEMORY = (
    re.compile(r"-Xmx(?P<amount>\d+)(?P<unit>[kKmMgG])"),
    re.compile(r"--max[-_]old[-_]space[-_]size=(?P<amount>\d+)(?P<unit>)"),
    re.compile(r"--vm-bytes[= ](?P<amount>\d+)(?P<unit>[kKmMgG])"),
    re.compile(r"--maxmemory[= ](?P<amount>\d+)(?P<unit>[kKmMgG])[bB]?"),
)
"""How programs are told how much memory to take: JVM, Node.js (in MiB), stress, Redis."""

_EXIT = re.compile(r"(?:^|[;&\n]\s*)exit\s+([1-9]\d{0,2})\s*;?\s*\Z")
_BRANCH = re.compile(r"\b(if|case|trap|until|while)\b|\|\|")
_WAIT = re.compile(
    r"\b(?:until|while)\b[^;\n]*?\b(?:nslookup|getent hosts|nc(?: -\w+)*|wget[^;\n]*?https?://|curl[^;\n]*?https?://|pg_isready[^;\n]*?-h)\s*"
    r"(?P<host>[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*)"
)


def _words(container: Container) -> Iterator[Fact]:
    for part in ("command", "args"):
        yield from container.of.under(container.at(part))
    for fact in container.of.under(container.at("env")):
        if fact.attribute.endswith(".value"):
            yield fact


@check(
    "kubernetes.heap_above_limit",
    why="A program that may take more memory than its container's limit is killed by the kernel as soon as it does (OOMKilled).",
    remedy="Raise the memory limit above what the program is told to take, with room to spare, or tell it to take less.",
    category=Category.RESOURCE_EXHAUSTION,
)
def heap_above_limit(cluster: Cluster) -> Iterator[Violation]:
    """A program is told to use more memory than its container may have."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            limit = container.fact("resources.limits.memory")
            allowed = quantity(limit.value) if limit is not None else None
            # An option may be spread over list items: `--vm-bytes`, `250M`.
            facts = list(_words(container))
            joined = " ".join(str(fact.value) for fact in facts)
            for pattern in _MEMORY:
                match = pattern.search(joined)
                wanted = quantity(f"{match['amount']}{(match['unit'] or 'm').upper()}i") if match is not None else None
                if (
                    match is not None
                    and wanted is not None
                    and allowed is not None
                    and limit is not None
                    and wanted > allowed
                ):
                    yield broken(
                        each,
                        [limit, *(fact for fact in facts if match["amount"] in str(fact.value))],
                        f"Container {container.name} of {each} is told to use {match[0]} of memory, "
                        f"but its memory limit is {limit.value}: it is OOMKilled when it does.",
                        expected=f"a limit above {match['amount']}{match['unit']}",
                        container=container.name,
                        limit=limit.value,
                    )


@check(
    "kubernetes.script_always_fails",
    why="A container whose script ends with an error is restarted again and again, or fails its job.",
    remedy="Let the script end with 0, or mend what it reports by its exit code.",
    category=Category.CODE_DEFECT,
)
def script_always_fails(cluster: Cluster) -> Iterator[Violation]:
    """A container's script ends with an error whatever happens."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            script = script_of(container).strip()
            match = _EXIT.search(script)
            if match is not None and not _BRANCH.search(script):
                last = next((fact for fact in _words(container) if f"exit {match[1]}" in str(fact.value)), None)
                yield broken(
                    each,
                    [last, container.fact("name")],
                    f"The script of container {container.name} of {each} always ends with exit code {match[1]}.",
                    expected="exit code 0",
                    container=container.name,
                    exit_code=match[1],
                )


@check(
    "kubernetes.waits_for_unknown_service",
    why="A container that waits for a name which no service has waits for ever; what comes after it never starts.",
    remedy="Correct the name, or create the service.",
    category=Category.CONFIGURATION_ERROR,
)
def waits_for_unknown_service(cluster: Cluster) -> Iterator[Violation]:
    """A container waits for a service that does not exist."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            match = _WAIT.search(script_of(container))
            name, _, rest = match["host"].partition(".") if match is not None else ("", "", "")
            namespace = rest.split(".")[0] if rest else each.entity.namespace
            if not name or name == "localhost" or (rest and ".svc" not in f".{rest}" and rest.count(".") > 0):
                continue
            known = cluster.lists("service", namespace)
            if cluster.find("service", name, namespace) is None and not _statefully(each, name):
                role = "Init container" if container.initial else "Container"
                yield broken(
                    each,
                    list(_words(container)),
                    f"{role} {container.name} of {each} waits for {name}, "
                    f"{'which no service of the namespace is called' if known else 'which no service in the evidence is called'}.",
                    expected=f"Service {name}",
                    certain=known,
                    container=container.name,
                    missing=name,
                    host=name,
                )


def _statefully(each: KubernetesObject, name: str) -> bool:
    """Whether a name is the governing service of the set itself."""
    return each.text("spec.serviceName") == name
