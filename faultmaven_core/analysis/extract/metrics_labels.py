"""Whose metric, alert or record it is, told from labels, dimensions, tags and columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from faultmaven_core.analysis.model import Entity

_KINDS: Mapping[str, tuple[str, ...]] = {
    "pod": ("pod", "pod_name", "podname", "kube_pod", "kubernetes_pod_name", "exported_pod", "kube_pod_name"),
    "deployment": ("deployment", "kube_deployment", "deployment_name", "kubernetes_deployment_name"),
    "statefulset": ("statefulset", "kube_stateful_set", "kube_statefulset"),
    "daemonset": ("daemonset", "kube_daemon_set", "kube_daemonset"),
    "cronjob": ("cronjob", "kube_cronjob"),
    "job": ("job_name", "kube_job"),
    "persistentvolumeclaim": ("persistentvolumeclaim", "pvc"),
    "database": (
        "dbinstanceidentifier",
        "db_instance_identifier",
        "dbinstance",
        "db_instance",
        "dbclusteridentifier",
        "db_cluster_identifier",
        "db_cluster",
        "cacheclusterid",
        "database_id",
        "datname",
        "database",
        "database_name",
    ),
    "queue": ("queue", "queuename", "queue_name", "topic", "kafka_topic"),
    "node": ("node", "kube_node", "nodename", "node_name", "kubernetes_node"),
    "service": ("service", "service_name", "servicename", "kube_service", "microservice", "app", "application"),
    "host": ("host", "hostname", "host_name", "instanceid", "instance_id", "instance", "server", "source_identifier"),
    "endpoint": ("endpoint", "url", "loadbalancer", "targetgroup"),
}
"""Kinds, the most specific first, and the names (lower case, dots and dashes as underscores) of labels that name one."""

_NAMESPACE = ("namespace", "kube_namespace", "kubernetes_namespace", "exported_namespace", "k8s_namespace_name")
PRODUCTS = frozenset(
    (
        "rds",
        "ec2",
        "s3",
        "lambda",
        "elb",
        "alb",
        "ecs",
        "eks",
        "sqs",
        "sns",
        "dynamodb",
        "cloudwatch",
        "elasticache",
        "cloudsql",
        "gke",
    )
)
"""Values of a `service` label that name a cloud's product, not a service of anybody."""

_PREFIX = re.compile(r"\A(k8s|kubernetes|aws|resource)_(?=\w)")
_POD = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?-(?=[a-z]*[0-9])[a-z0-9]{8,10}-[a-z0-9]{5}\Z")
_PORT = re.compile(r":\d{1,5}\Z")
_DATABASE_SOURCES = ("db-instance", "db-cluster", "db_instance", "db_cluster")
NAMESPACED = frozenset(
    ("pod", "deployment", "statefulset", "daemonset", "cronjob", "job", "persistentvolumeclaim", "service")
)


def normal(label: str) -> str:
    """A label's name in the form that the tables here use."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def kind_of_label(label: str) -> str:
    """The kind of entity that a label, dimension or column of this name names; empty where it names none."""
    name = normal(label)
    for form in (name, _PREFIX.sub("", name), _PREFIX.sub("", name).removesuffix("_name")):
        for kind, names in _KINDS.items():
            if form in names:
                return kind
    return ""


def entities_of(labels: Mapping[str, str]) -> Iterator[Entity]:
    """All entities that labels name, the most specific kind first."""
    plain = {normal(name): value.strip() for name, value in labels.items() if value and value.strip()}
    namespace = next((plain[name] for name in _NAMESPACE if name in plain), "")
    if kind := plain.get("workload_type", plain.get("workload_kind", "")).lower():
        plain.setdefault(kind, plain.get("workload_name", plain.get("workload", "")))
    by_kind: dict[str, list[str]] = {}
    for name, value in sorted(plain.items(), key=_place):
        kind = kind_of_label(name)
        if value and kind and not (kind == "service" and value.lower() in PRODUCTS):
            by_kind.setdefault(kind, []).append(value)
    if plain.get("source_type", "").lower() in _DATABASE_SOURCES and "host" in by_kind:
        by_kind.setdefault("database", []).extend(by_kind.pop("host"))
    hosts = by_kind.get("host", [])
    by_kind.setdefault("pod", []).extend(value for value in hosts if _POD.match(value))
    by_kind["host"] = [value for value in hosts if not _POD.match(value)]
    for kind in _KINDS:
        for value in dict.fromkeys(by_kind.get(kind, ())):
            yield named(kind, value, namespace)


def _place(label: tuple[str, str]) -> tuple[int, str]:
    """The labels of a kind in the order of the table: an instance before its cluster."""
    name = label[0]
    ranks = [names.index(name) for names in _KINDS.values() if name in names]
    return (min(ranks, default=len(_KINDS)), name)


def named(kind: str, name: str, namespace: str = "") -> Entity:
    """An entity of a kind and name; a host that bears the name of a pod is the pod."""
    if kind == "host":
        name = _PORT.sub("", name)
        kind = "pod" if _POD.match(name) else kind
    return Entity(kind, name, namespace if kind in NAMESPACED else "")


def entity_of(labels: Mapping[str, str], otherwise: Entity) -> Entity:
    """The most specific entity that labels name."""
    return next(entities_of(labels), otherwise)


_ABOVE_A_POD = {
    "deployment": "owns",
    "statefulset": "owns",
    "daemonset": "owns",
    "job": "owns",
    "service": "selects",
    "node": "runs_on",
}


def relations_of(entities: Sequence[Entity]) -> Iterator[tuple[str, Entity, Entity]]:
    """How entities that one record names belong together: kind, a, b."""
    pod = next((entity for entity in entities if entity.kind == "pod"), None)
    for other in entities if pod else ():
        kind = _ABOVE_A_POD.get(other.kind)
        if pod and kind:
            yield (kind, pod, other) if kind == "runs_on" else (kind, other, pod)
