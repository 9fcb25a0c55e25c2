"""What an object's specification points to: configuration, volumes, accounts, services, scale targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity
from faultmaven_core.ports.structured_text import Node

POD_SPECS: tuple[tuple[str, ...], ...] = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
)
"""Where the API keeps a pod's specification: in a pod, a workload, a cron job."""

_VOLUMES = (
    ("configmap", ("configMap", "name")),
    ("secret", ("secret", "secretName")),
    ("persistentvolumeclaim", ("persistentVolumeClaim", "claimName")),
    ("secret", ("secret", "name")),
)
_PULL = (("secret", ("name",)),)
_ENV = (
    ("configmap", ("valueFrom", "configMapKeyRef", "name")),
    ("secret", ("valueFrom", "secretKeyRef", "name")),
    ("configmap", ("configMapRef", "name")),
    ("secret", ("secretRef", "name")),
)
_SINGLE: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "horizontalpodautoscaler": (("", ("spec", "scaleTargetRef", "name")),),
    "persistentvolumeclaim": (
        ("persistentvolume", ("spec", "volumeName")),
        ("storageclass", ("spec", "storageClassName")),
    ),
    "persistentvolume": (
        ("persistentvolumeclaim", ("spec", "claimRef", "name")),
        ("storageclass", ("spec", "storageClassName")),
    ),
    "statefulset": (("service", ("spec", "serviceName")),),
    "rolebinding": (("", ("roleRef", "name")),),
    "clusterrolebinding": (("", ("roleRef", "name")),),
}
_GLOBAL = frozenset({"persistentvolume", "storageclass", "clusterrole"})


def read_references(node: Node, entity: Entity, passage: Passage, out: Findings) -> None:
    """A `mounts` relation per volume and a `references` relation per other name that the object gives."""
    for where in POD_SPECS:
        spec = node.get(*where)
        if spec is not None:
            for relation, kind, target in _pod_spec(spec):
                _add(relation, kind, target, entity, passage, out)
    for kind, path in _SINGLE.get(entity.kind, ()):
        single = node.get(*path)
        if single is not None:
            named = kind or node.text(*path[:-1], "kind").lower()
            _add("references", named, single, entity, passage, out)
    if entity.kind == "ingress":
        for target in _backends(node):
            _add("references", "service", target, entity, passage, out)
    for subject in node.items("subjects") if entity.kind in ("rolebinding", "clusterrolebinding") else ():
        name = subject.get("name")
        if name is not None and subject.text("kind") == "ServiceAccount":
            account = Entity("serviceaccount", str(name.value), subject.text("namespace") or entity.namespace)
            out.relation("references", entity, account, passage.span(name.first, name.last))


def _add(relation: str, kind: str, target: Node, entity: Entity, passage: Passage, out: Findings) -> None:
    if kind and isinstance(target.value, str) and target.value:
        other = Entity(kind, target.value, "" if kind in _GLOBAL else entity.namespace)
        out.relation(relation, entity, other, passage.span(target.first, target.last))


def _pod_spec(spec: Node) -> Iterator[tuple[str, str, Node]]:
    sources = [source for volume in spec.items("volumes") for source in (volume, *volume.items("projected", "sources"))]
    yield from (("mounts", kind, target) for kind, target in _named(sources, _VOLUMES))
    entries = [
        entry
        for group in ("initContainers", "containers", "ephemeralContainers")
        for container in spec.items(group)
        for entry in (*container.items("env"), *container.items("envFrom"))
    ]
    yield from (("references", kind, target) for kind, target in _named(entries, _ENV))
    yield from (("references", kind, target) for kind, target in _named(spec.items("imagePullSecrets"), _PULL))
    account = spec.get("serviceAccountName")
    if account is not None:
        yield "references", "serviceaccount", account


def _named(nodes: Sequence[Node], paths: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[str, Node]]:
    for node in nodes:
        for kind, path in paths:
            target = node.get(*path)
            if target is not None:
                yield kind, target


def _backends(node: Node) -> Iterator[Node]:
    backends = [node.get("spec", "defaultBackend"), node.get("spec", "backend")]
    for rule in node.items("spec", "rules"):
        backends += [path.get("backend") for path in rule.items("http", "paths")]
    for backend in backends:
        for path in (("service", "name"), ("serviceName",)):
            target = backend.get(*path) if backend is not None else None
            if target is not None:
                yield target
