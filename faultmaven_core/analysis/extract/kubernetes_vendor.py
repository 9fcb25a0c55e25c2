"""JSON in which monitoring products and cloud tools hand out Kubernetes objects: flat, with snake_case keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from faultmaven_core.analysis.extract.kubernetes import read_object
from faultmaven_core.analysis.extract.kubernetes_events import event
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.graph.kubernetes_time import moment
from faultmaven_core.analysis.model import Entity
from faultmaven_core.ports.structured_text import Node

_STATES = ("waiting", "running", "terminated")


def vendor_objects(document: Node, passage: Passage, out: Findings) -> bool:
    """Pods, nodes, deployments and events of a vendor's rendering; False where the document is none."""
    found = False
    for key, node in document.entries():
        build = _KINDS.get(key)
        for item in node.value if isinstance(node.value, tuple) else ():
            if build is not None and item.text("name"):
                found = read_object(build(item), passage, out) is not None or found
            elif key.endswith("events") and item.text("reason"):
                found = _event(item, passage, out) or found
        if key.endswith("events") and node.value == () and len(key) > len("events"):
            found = True
    return found


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _api(node: Node, *, without: frozenset[str] = frozenset()) -> Node:
    """The same tree with the API's key style."""
    if isinstance(node.value, Mapping):
        entries = {_camel(key): _api(child) for key, child in node.value.items() if key not in without}
        return Node(entries, node.first, node.last)
    if isinstance(node.value, tuple):
        return Node(tuple(_api(item) for item in node.value), node.first, node.last)
    return node


def _object(kind: str, item: Node, spec: dict[str, Node], status: dict[str, Node]) -> Node:
    metadata = {
        key: found for key in ("name", "namespace", "labels", "annotations") if (found := item.get(key)) is not None
    }
    for key in ("deletion_timestamp", "creation_timestamp"):
        if (stamp := item.get(key)) is not None and stamp.value:
            metadata[_camel(key)] = stamp
    parts = {
        "kind": Node(kind, item.first, item.first),
        "metadata": Node(metadata, item.first, item.last),
        "spec": Node(spec, item.first, item.last),
        "status": Node(status, item.first, item.last),
    }
    return Node({key: node for key, node in parts.items() if node.value != {}}, item.first, item.last)


def _taken(item: Node, **keys: str) -> dict[str, Node]:
    return {api: found for api, key in keys.items() if (found := item.get(key)) is not None and found.value is not None}


def _pod(item: Node) -> Node:
    spec = _taken(item, nodeName="node_name", serviceAccountName="service_account")
    status = _taken(item, phase="phase", reason="reason", message="message", startTime="start_time")
    if (listed := item.get("conditions")) is not None:
        status["conditions"] = _conditions(listed)
    for key, spec_key, status_key in (
        ("containers", "containers", "containerStatuses"),
        ("init_containers", "initContainers", "initContainerStatuses"),
    ):
        group = item.get(key)
        if group is not None and item.items(key):
            spec[spec_key] = Node(tuple(_container(each) for each in item.items(key)), group.first, group.last)
            states = tuple(_container_status(each) for each in item.items(key))
            status[status_key] = Node(states, group.first, group.last)
    return _object("Pod", item, spec, status)


def _container(each: Node) -> Node:
    kept = {
        key: _api(child)
        for key, child in each.entries()
        if key in ("name", "image", "resources", "ports", "command", "args")
    }
    return Node(kept, each.first, each.last)


def _container_status(each: Node) -> Node:
    parts = _taken(each, name="name", ready="ready", restartCount="restart_count")
    for key in ("state", "last_state"):
        given = each.get(key)
        if given is not None and isinstance(given.value, Mapping) and given.value:
            parts[_camel(key)] = _state(given)
    return Node(parts, each.first, each.last)


def _state(given: Node) -> Node:
    """`{"waiting": true, "reason": …}` and `{"waiting": {"reason": …}}` both to the latter."""
    which = next((name for name in _STATES if given.get(name) is not None and given.text(name) != "False"), "")
    if not which:
        which = "terminated" if given.get("exit_code") is not None else "waiting"
    nested = given.get(which)
    inner = dict(_api(nested).entries()) if nested is not None and isinstance(nested.value, Mapping) else {}
    flat = dict(_api(given, without=frozenset(_STATES)).entries())
    return Node({which: Node({**flat, **inner}, given.first, given.last)}, given.first, given.last)


def _conditions(listed: Node) -> Node:
    """A list of conditions, each without the parts that are empty."""
    items = listed.value if isinstance(listed.value, tuple) else ()
    kept = tuple(
        Node({_camel(key): part for key, part in each.entries() if part.value not in ("", None)}, each.first, each.last)
        for each in items
    )
    return Node(kept, listed.first, listed.last)


_NODE_CONDITIONS = {
    "ready": "Ready",
    "memory_pressure": "MemoryPressure",
    "disk_pressure": "DiskPressure",
    "pid_pressure": "PIDPressure",
    "network_unavailable": "NetworkUnavailable",
}


def _node(item: Node) -> Node:
    status: dict[str, Node] = {}
    flat = tuple(
        Node({"type": Node(name, found.first, found.last), "status": _shown(found)}, found.first, found.last)
        for key, name in _NODE_CONDITIONS.items()
        if (found := item.get(key)) is not None
    )
    if (listed := item.get("conditions")) is not None:
        status["conditions"] = _conditions(listed)
    elif flat:
        status["conditions"] = Node(flat, item.first, item.last)
    for group in ("capacity", "allocatable"):
        nested = item.get(group)
        amounts = {key.removeprefix(f"{group}_"): part for key, part in item.entries() if key.startswith(f"{group}_")}
        if nested is not None:
            status[group] = nested
        elif amounts:
            status[group] = Node(amounts, item.first, item.last)
    spec = {key: _api(found) for key in ("taints", "unschedulable") if (found := item.get(key)) is not None}
    return _object("Node", item, spec, status)


def _shown(found: Node) -> Node:
    text = {True: "True", False: "False", None: "Unknown"}
    value = text[found.value] if found.value is None or isinstance(found.value, bool) else found.value
    return Node(value, found.first, found.last)


def _workload(kind: str) -> Callable[[Node], Node]:
    def build(item: Node) -> Node:
        spec = _taken(item, replicas="desired") or _taken(item, replicas="replicas")
        status = _taken(
            item,
            readyReplicas="ready",
            availableReplicas="available",
            unavailableReplicas="unavailable",
            updatedReplicas="updated",
        ) | _taken(item, readyReplicas="ready_replicas", availableReplicas="available_replicas")
        if (listed := item.get("conditions")) is not None:
            status["conditions"] = _conditions(listed)
        for key in ("selector", "template", "strategy"):
            if (found := item.get(key)) is not None:
                spec[key] = _api(found)
        return _object(kind, item, spec, status)

    return build


_KINDS: Mapping[str, Callable[[Node], Node]] = {
    "pods": _pod,
    "nodes": _node,
    "deployments": _workload("Deployment"),
    "replicasets": _workload("ReplicaSet"),
    "replica_sets": _workload("ReplicaSet"),
    "statefulsets": _workload("StatefulSet"),
    "daemonsets": _workload("DaemonSet"),
}


def _event(item: Node, passage: Passage, out: Findings) -> bool:
    about = next(_about(item), None)
    if about is None:
        return False
    seen = [item.text(key) for key in ("last_time", "last_timestamp", "last_seen", "timestamp", "first_time")]
    times = item.text("count")
    event(
        out,
        about,
        item.text("reason"),
        item.text("message"),
        passage.span(item.first, item.last),
        level=item.text("type"),
        when=next((found for text in seen if (found := moment(text)) is not None), None),
        count=int(times) if times.isdecimal() else 1,
    )
    return True


def _about(item: Node) -> Iterator[Entity]:
    """The object of an event: `Pod/name`, or a mapping with kind and name."""
    for key in ("involved_object", "involvedObject", "object", "regarding"):
        given = item.get(key)
        if given is None:
            continue
        kind, name = given.text("kind"), given.text("name")
        if isinstance(given.value, str):
            kind, _, name = given.value.partition("/")
        if kind and name:
            namespace = given.text("namespace") or item.text("namespace")
            yield Entity(kind.lower(), name, "" if kind.lower() == "node" else namespace)
