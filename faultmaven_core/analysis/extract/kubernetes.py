"""A Kubernetes object, in whatever notation it was printed, to facts and relations."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node


def read_object(node: Node, passage: Passage, out: Findings) -> Entity | None:
    """Facts of one object in the shape of the API; None, and nothing added, where it is no object."""
    kind, name = node.text("kind").lower(), node.text("metadata", "name")
    if not kind or not name:
        return None
    entity = Entity(kind, name, node.text("metadata", "namespace"))
    for part, child in node.entries():
        mode = Mode.STATUS if part == "status" else Mode.SPEC
        flatten(child, part, entity, mode, passage, out)
    for owner in node.items("metadata", "ownerReferences"):
        out.relation(
            "owns",
            Entity(owner.text("kind").lower(), owner.text("name"), entity.namespace),
            entity,
            passage.span(owner.first, owner.last),
        )
    node_name = node.get("spec", "nodeName")
    if node_name is not None and node_name.value:
        out.relation(
            "runs_on", entity, Entity("node", str(node_name.value)), passage.span(node_name.first, node_name.last)
        )
    return entity


def flatten(node: Node, path: str, entity: Entity, mode: Mode, passage: Passage, out: Findings) -> None:
    """A fact per leaf. Items of a sequence are keyed by their `name` or `type`, else by their index."""
    if isinstance(node.value, Mapping):
        for key, child in node.value.items():
            flatten(child, f"{path}.{key}", entity, mode, passage, out)
    elif isinstance(node.value, tuple):
        for index, item in enumerate(node.value):
            key = item.text("name") or item.text("type") or str(index)
            flatten(item, f"{path}.{key}", entity, mode, passage, out)
    else:
        out.fact(entity, path, node.value, passage.span(node.first, node.last), mode)
