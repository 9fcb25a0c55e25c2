"""`kubectl describe` text to objects in the shape of the API, so that one reader serves every notation."""

from __future__ import annotations

import re
from itertools import pairwise

from faultmaven_core.analysis.extract.kubectl_describe_kinds import kind_of, parts_of
from faultmaven_core.analysis.extract.kubectl_describe_tree import Field, fields, leaf, pairs, tree
from faultmaven_core.analysis.extract.kubernetes import read_object
from faultmaven_core.analysis.extract.kubernetes_events import described_event
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity
from faultmaven_core.ports.structured_text import Node

_NAME = re.compile(r"Name: +\S")


def describe(passage: Passage, out: Findings) -> None:
    """Every object that is described, one after another."""
    starts = [index for index, line in enumerate(passage.lines) if _NAME.match(line)]
    if not starts:
        out.problems.append("This looks like `kubectl describe` output, but no line `Name:` begins an object.")
    for start, end in pairwise([*starts, len(passage.lines)]):
        _object(fields(passage.lines[start:end], start), passage, out)


def _object(root: Field, passage: Passage, out: Findings) -> None:
    kind = kind_of(root)
    if not kind:
        name, line = root.text("Name"), passage.first + root.first + 1
        out.problems.append(f"The object {name!r} described from line {line} on is of a kind that is not known here.")
        return
    parts = {"kind": leaf(kind, root), "metadata": _metadata(root), **parts_of(kind, root)}
    entity = read_object(tree(parts, root), passage, out)
    if entity is not None:
        _events(root, entity, passage, out)
        _owner(root, entity, passage, out)


def _metadata(root: Field) -> Node:
    parts: dict[str, Node] = {}
    for key, api in (("Name", "name"), ("Namespace", "namespace"), ("CreationTimestamp", "creationTimestamp")):
        found = root.get(key)
        if found is not None and root.text(key):
            parts[api] = leaf(found.value, found)
    ending = next((each for key, each in root.children.items() if key.startswith("Termination Grace")), None)
    if ending is None and root.text("Status").startswith("Terminating"):
        ending = root.get("Status")
    if ending is not None and root.text("Status").startswith("Terminating"):
        parts["deletionTimestamp"] = leaf(root.text("Status"), ending)
    for key, api, separator in (("Labels", "labels", "="), ("Annotations", "annotations", ": ")):
        if (found_pairs := pairs(root.get(key), separator)) is not None:
            parts[api] = found_pairs
    return tree(parts, root)


def _owner(root: Field, entity: Entity, passage: Passage, out: Findings) -> None:
    owner = root.get("Controlled By")
    kind, _, name = owner.value.partition("/") if owner is not None else ("", "", "")
    if owner is not None and name:
        above = Entity(kind.lower(), name, "" if kind == "Node" else entity.namespace)
        out.relation("owns", above, entity, passage.span(owner.first))


def _events(root: Field, entity: Entity, passage: Passage, out: Findings) -> None:
    found = root.get("Events")
    for index, text in found.lines if found is not None else ():
        described_event(entity, text, passage.span(index), out)
