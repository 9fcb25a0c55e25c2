"""`kubectl describe` text to objects in the shape of the API, so that one reader serves every notation."""

from __future__ import annotations

import re

from faultmaven_core.analysis.extract.kubernetes import read_object
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node

_KEY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z][\w ./()-]*?):(?:\s+(?P<value>.*))?\Z")
_EVENT = re.compile(
    r"\s+(?P<type>Normal|Warning)\s{2,}(?P<reason>\w+)\s{2,}(?P<age>.+?)\s{2,}(?P<source>\S.*?)\s{2,}(?P<message>.+)"
)
_REPEATED = re.compile(r"\(x(\d+) over")


def describe(passage: Passage, out: Findings) -> None:
    """One described object."""
    tree = _tree(passage)
    if tree is None:
        return
    entity = read_object(_pod(tree) if _is_pod(tree) else _plain(tree), passage, out)
    if entity is not None:
        _events(entity, passage, out)


def _tree(passage: Passage) -> Node | None:
    """Nested mappings by indentation, each key with the lines it covers."""
    rows = [
        (len(m["indent"]), m["key"], m["value"] or "", index)
        for index, line in enumerate(passage.lines)
        if (m := _KEY.match(line.rstrip()))
    ]
    root: dict[str, Node] = {}
    stack: list[tuple[int, dict[str, Node]]] = [(-1, root)]
    for indent, key, value, index in rows:
        while stack[-1][0] >= indent:
            stack.pop()
        children: dict[str, Node] = {}
        text = value.strip()
        parent = stack[-1][1]
        if key not in parent:
            parent[key] = Node({"": Node(text, index, index), **children} if not text else text, index, index)
        if not text:
            parent[key] = Node(children, index, index)
        elif key in ("State", "Last State"):
            children[""] = Node(text, index, index)
            parent[key] = Node(children, index, index)
        stack.append((indent, children))
    return Node(root, 0, len(passage.lines) - 1) if "Name" in root else None


def _is_pod(tree: Node) -> bool:
    return tree.get("Containers") is not None and tree.get("Status") is not None and tree.get("Node") is not None


def _plain(tree: Node) -> Node:
    kind = "unknown"
    return Node({"kind": Node(kind, 0, 0), "metadata": _metadata(tree)}, tree.first, tree.last)


def _metadata(tree: Node) -> Node:
    pairs = {api: tree.get(key) for api, key in (("name", "Name"), ("namespace", "Namespace"))}
    return Node({key: node for key, node in pairs.items() if node is not None}, tree.first, tree.last)


def _pod(tree: Node) -> Node:
    spec: dict[str, Node] = {}
    status: dict[str, Node] = {}
    if (phase := tree.get("Status")) is not None:
        status["phase"] = phase
    where = tree.get("Node")
    if where is not None and tree.text("Node") not in ("<none>", ""):
        spec["nodeName"] = Node(tree.text("Node").split("/")[0], where.first, where.last)
    for key, spec_key, status_key in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
    ):
        parts = list(tree.entries(key))
        if parts:
            spec[spec_key] = Node(tuple(_container_spec(name, node) for name, node in parts), 0, 0)
            status[status_key] = Node(tuple(_container_status(name, node) for name, node in parts), 0, 0)
    return Node(
        {
            "kind": Node("Pod", 0, 0),
            "metadata": _metadata(tree),
            "spec": Node(spec, 0, 0),
            "status": Node(status, 0, 0),
        },
        tree.first,
        tree.last,
    )


def _container_spec(name: str, node: Node) -> Node:
    fields = {"name": Node(name, node.first, node.first)}
    if (image := node.get("Image")) is not None:
        fields["image"] = image
    return Node(fields, node.first, node.last)


def _container_status(name: str, node: Node) -> Node:
    fields = {"name": Node(name, node.first, node.first)}
    for key, api in (("Ready", "ready"), ("Restart Count", "restartCount")):
        if (found := node.get(key)) is not None:
            fields[api] = Node(_typed(str(found.value)), found.first, found.last)
    for key, api in (("State", "state"), ("Last State", "lastState")):
        state = node.get(key)
        if state is None or not state.text(""):
            continue
        inner = {
            _STATE[part]: Node(_typed(str(child.value)), child.first, child.last)
            for part, child in state.entries()
            if part in _STATE
        }
        fields[api] = Node({state.text("").lower(): Node(inner, state.first, state.last)}, state.first, state.last)
    return Node(fields, node.first, node.last)


_STATE = {
    "Reason": "reason",
    "Message": "message",
    "Exit Code": "exitCode",
    "Signal": "signal",
    "Started": "startedAt",
    "Finished": "finishedAt",
}


def _typed(text: str) -> str | int | bool:
    if text in ("True", "False"):
        return text == "True"
    return int(text) if text.isdigit() else text


def _events(entity: Entity, passage: Passage, out: Findings) -> None:
    for index, line in enumerate(passage.lines):
        match = _EVENT.match(line)
        if match:
            repeated = _REPEATED.search(match["age"])
            out.fact(
                entity,
                f"event.{match['reason']}",
                match["message"].strip(),
                passage.span(index),
                Mode.EVENT,
                count=int(repeated[1]) if repeated else 1,
            )
