"""A Kubernetes object, in whatever notation it was printed, to facts and relations."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.analysis.extract.kubernetes_events import read_event
from faultmaven_core.analysis.extract.kubernetes_references import read_references
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node

MAX_TEXT = 4_000
"""Characters of a leaf kept as a fact's value (configuration files in a config map); the span cites all of it."""

CLUSTER_SCOPED = frozenset(
    {
        "clusterrole",
        "clusterrolebinding",
        "customresourcedefinition",
        "ingressclass",
        "namespace",
        "node",
        "persistentvolume",
        "priorityclass",
        "runtimeclass",
        "storageclass",
        "volumeattachment",
    }
)
"""Kinds that have no namespace; see `kubectl api-resources --namespaced=false`."""

_NOISE = frozenset({"managedFields", "uid", "resourceVersion", "selfLink"})
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def read_objects(node: Node, passage: Passage, out: Findings, kind: str = "") -> list[Entity]:
    """Facts of an object, or of every item of a list; `kind` is that of items which do not repeat their list's."""
    own = node.text("kind")
    items = node.items("items")
    if own.endswith("List") and node.get("items") is not None:
        return [entity for item in items for entity in read_objects(item, passage, out, own.removesuffix("List"))]
    entity = read_object(node, passage, out, own or kind)
    return [] if entity is None else [entity]


def read_object(node: Node, passage: Passage, out: Findings, kind: str = "") -> Entity | None:
    """Facts of one object in the shape of the API; None, and nothing added, where it is no object."""
    kind = (kind or node.text("kind")).lower()
    name = node.text("metadata", "name") or node.text("metadata", "generateName")
    if kind == "event":
        return read_event(node, passage, out)
    if not kind or not name:
        return None
    entity = Entity(kind, name, "" if kind in CLUSTER_SCOPED else node.text("metadata", "namespace"))
    for part, child in node.entries():
        if kind == "secret" and part in ("data", "stringData"):
            _names_only(child, part, entity, passage, out)
        elif part not in ("kind", "apiVersion"):
            flatten(child, part, entity, Mode.STATUS if part == "status" else Mode.SPEC, passage, out)
    _owners(node, entity, passage, out)
    read_references(node, entity, passage, out)
    return entity


def flatten(node: Node, path: str, entity: Entity, mode: Mode, passage: Passage, out: Findings) -> None:
    """A fact per leaf. Items of a sequence are keyed by their `name` or `type`, else by their index.

    An empty mapping or sequence is a leaf too: `ingress: [{}]` allows everything, `ingress: []` nothing.
    """
    if node.value in ({}, ()):
        if "." in path:
            out.fact(entity, path, None, passage.span(node.first, node.last), mode)
    elif isinstance(node.value, Mapping):
        for key, child in node.value.items():
            if key not in _NOISE and key != _LAST_APPLIED:
                flatten(child, f"{path}.{key}", entity, mode, passage, out)
    elif isinstance(node.value, tuple):
        for index, item in enumerate(node.value):
            key = item.text("name") or item.text("type") or str(index)
            flatten(item, f"{path}.{key}", entity, mode, passage, out)
    else:
        value = node.value[:MAX_TEXT] if isinstance(node.value, str) else node.value
        if path == "metadata.namespace" and not value:
            return
        out.fact(entity, path, value, passage.span(node.first, node.last), mode)


def _names_only(node: Node, path: str, entity: Entity, passage: Passage, out: Findings) -> None:
    """That a secret has a key is evidence; what it holds is nobody's business."""
    for key, child in node.entries():
        out.fact(entity, f"{path}.{key}", None, passage.span(child.first, child.last), Mode.SPEC)


def _owners(node: Node, entity: Entity, passage: Passage, out: Findings) -> None:
    for owner in node.items("metadata", "ownerReferences"):
        kind = owner.text("kind").lower()
        above = Entity(kind, owner.text("name"), "" if kind in CLUSTER_SCOPED else entity.namespace)
        out.relation("owns", above, entity, passage.span(owner.first, owner.last))
    host = node.get("spec", "nodeName")
    if host is not None and host.value:
        out.relation("runs_on", entity, Entity("node", str(host.value)), passage.span(host.first, host.last))
