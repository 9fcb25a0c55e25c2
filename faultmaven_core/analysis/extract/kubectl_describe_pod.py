"""A described pod, and the pod templates inside described workloads, in the shape of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.extract.kubectl_describe_tree import Field, conditions, leaf, pairs, tree, typed
from faultmaven_core.ports.structured_text import Node

_STATE = {
    "Reason": "reason",
    "Message": "message",
    "Exit Code": "exitCode",
    "Signal": "signal",
    "Started": "startedAt",
    "Finished": "finishedAt",
}
_PORT = re.compile(r"(\d+)/(\w+)(?: \(([\w-]+)\))?")
_FROM_KEY = re.compile(r"<set to the key '(?P<key>[^']*)' (?:in|of) (?P<kind>secret|config map) '(?P<name>[^']*)'>")
_HTTP = re.compile(r"http-get (?P<scheme>\w+)://(?P<host>[^:/]*):(?P<port>[\w-]*)(?P<path>/\S*)?")
_TCP = re.compile(r"tcp-socket [^:\s]*:(?P<port>[\w-]+)")
_EXEC = re.compile(r"exec \[(?P<command>.*)\] delay=")
_GRPC = re.compile(r"grpc \S*:(?P<port>\d+)")
_TIMES = (
    ("initialDelaySeconds", re.compile(r" delay=(\d+)s")),
    ("timeoutSeconds", re.compile(r" timeout=(\d+)s")),
    ("periodSeconds", re.compile(r" period=(\d+)s")),
    ("failureThreshold", re.compile(r"#failure=(\d+)")),
)
_MOUNT = re.compile(r"(?P<path>/\S*) from (?P<name>\S+) \((?P<mode>[^)]*)\)")
_GROUPS = (
    ("Init Containers", "initContainers", "initContainerStatuses"),
    ("Containers", "containers", "containerStatuses"),
)


def pod(root: Field) -> dict[str, Node]:
    """The `spec` and `status` of a described pod."""
    status: dict[str, Node] = {}
    for key, api in (("Status", "phase"), ("Reason", "reason"), ("Message", "message"), ("IP", "podIP")):
        found = root.get(key)
        if found is not None and root.text(key):
            status[api] = leaf(root.text(key).split(" (")[0] if key == "Status" else root.text(key), found)
    if (listed := conditions(root.get("Conditions"))) is not None:
        status["conditions"] = listed
    for key, _, api in _GROUPS:
        group = root.get(key)
        if group is not None and group.children:
            states = tuple(_status(name, each) for name, each in group.children.items())
            status[api] = Node(states, group.first, group.last)
    return {"spec": tree(pod_spec(root), root), "status": tree(status, root)}


def pod_spec(root: Field) -> dict[str, Node]:
    """What a pod or a pod template says of its containers, volumes and placement."""
    spec: dict[str, Node] = {}
    for key, api in (("Service Account", "serviceAccountName"), ("Priority Class Name", "priorityClassName")):
        found = root.get(key)
        if found is not None and root.text(key):
            spec[api] = leaf(root.text(key), found)
    node = root.get("Node")
    if node is not None and root.text("Node"):
        spec["nodeName"] = leaf(node.value.split("/")[0], node)
    for key, api, _ in _GROUPS:
        group = root.get(key)
        if group is not None and group.children:
            items = tuple(_container(name, each) for name, each in group.children.items())
            spec[api] = Node(items, group.first, group.last)
    volumes = root.get("Volumes")
    if volumes is not None and volumes.children:
        spec["volumes"] = Node(tuple(_volumes(volumes)), volumes.first, volumes.last)
    if (selector := pairs(root.get("Node-Selectors"))) is not None:
        spec["nodeSelector"] = selector
    tolerations = root.get("Tolerations")
    if tolerations is not None:
        lines = tuple(Node(text, index, index) for index, text in tolerations.all_lines())
        spec["tolerations"] = Node(lines, tolerations.first, tolerations.last)
    return spec


def _container(name: str, at: Field) -> Node:
    parts: dict[str, Node] = {"name": Node(name, at.first, at.first)}
    if (image := at.get("Image")) is not None:
        parts["image"] = leaf(image.value, image)
    for key, api in (("Command", "command"), ("Args", "args")):
        found = at.get(key)
        lines = tuple(Node(text, index, index) for index, text in found.all_lines()) if found else ()
        if found and lines:
            parts[api] = Node(lines, found.first, found.last)
    ports = at.get("Ports") or at.get("Port")
    if ports is not None and ports.value != "<none>":
        parts["ports"] = Node(
            tuple(_ports(ports, at.text("Host Ports") or at.text("Host Port"))), ports.first, ports.last
        )
    resources = {
        api: tree({name: leaf(typed(each.value), each) for name, each in found.children.items()}, found)
        for key, api in (("Limits", "limits"), ("Requests", "requests"))
        if (found := at.get(key)) is not None
    }
    if resources:
        parts["resources"] = tree(resources, at)
    for key, api in (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")):
        if (found := at.get(key)) is not None:
            parts[api] = _probe(found)
    parts |= _environment(at)
    mounts = at.get("Mounts")
    if mounts is not None:
        parts["volumeMounts"] = Node(tuple(_mounts(mounts)), mounts.first, mounts.last)
    return tree(parts, at)


def _ports(found: Field, hosts: str) -> Iterator[Node]:
    on_host = [match[1] for match in _PORT.finditer(hosts)]
    for index, match in enumerate(_PORT.finditer(found.value)):
        parts = {"containerPort": leaf(int(match[1]), found), "protocol": leaf(match[2], found)}
        if match[3]:
            parts["name"] = leaf(match[3], found)
        if index < len(on_host) and on_host[index] != "0":
            parts["hostPort"] = leaf(int(on_host[index]), found)
        yield tree(parts, found)


def _probe(found: Field) -> Node:
    parts: dict[str, Node] = {}
    for api, pattern in (("httpGet", _HTTP), ("tcpSocket", _TCP), ("exec", _EXEC), ("grpc", _GRPC)):
        match = pattern.match(found.value)
        if match is not None:
            given = {key: leaf(typed(value), found) for key, value in match.groupdict().items() if value}
            parts[api] = tree(given, found)
    for api, times in _TIMES:
        timed = times.search(found.value)
        if timed is not None:
            parts[api] = leaf(int(timed[1]), found)
    return tree(parts, found)


def _environment(at: Field) -> dict[str, Node]:
    parts: dict[str, Node] = {}
    found = at.get("Environment")
    if found is not None and found.children:
        entries = []
        for name, each in found.children.items():
            entry = {"name": leaf(name, each)}
            match = _FROM_KEY.match(each.value)
            if match is not None:
                source = "secretKeyRef" if match["kind"] == "secret" else "configMapKeyRef"
                ref = {"name": leaf(match["name"], each), "key": leaf(match["key"], each)}
                if "Optional: true" in each.value:
                    ref["optional"] = leaf(True, each)
                entry["valueFrom"] = tree({source: tree(ref, each)}, each)
            else:
                entry["value"] = leaf(each.value, each)
            entries.append(tree(entry, each))
        parts["env"] = Node(tuple(entries), found.first, found.last)
    whole = at.get("Environment Variables from")
    if whole is not None and whole.children:
        parts["envFrom"] = Node(tuple(_env_from(each) for each in whole.children.values()), whole.first, whole.last)
    return parts


def _env_from(each: Field) -> Node:
    name, _, kind = each.key.partition(" ")
    ref = {"name": leaf(name, each), "optional": leaf(typed(each.value), each)}
    return tree({"secretRef" if "Secret" in kind else "configMapRef": tree(ref, each)}, each)


def _mounts(found: Field) -> Iterator[Node]:
    for index, text in found.all_lines():
        match = _MOUNT.match(text)
        if match is not None:
            named = {"mountPath": Node(match["path"], index, index), "name": Node(match["name"], index, index)}
            yield Node(named, index, index)


_SOURCES = (
    ("PersistentVolumeClaim", "persistentVolumeClaim", (("ClaimName", "claimName"),)),
    ("Secret", "secret", (("SecretName", "secretName"), ("Optional", "optional"))),
    ("ConfigMap", "configMap", (("Name", "name"), ("Optional", "optional"))),
    ("HostPath", "hostPath", (("Path", "path"),)),
    ("EmptyDir", "emptyDir", (("Medium", "medium"), ("SizeLimit", "sizeLimit"))),
    ("NFS", "nfs", (("Server", "server"), ("Path", "path"))),
)


def _volumes(found: Field) -> Iterator[Node]:
    for name, each in found.children.items():
        parts: dict[str, Node] = {"name": leaf(name, each)}
        for kind, api, keys in _SOURCES:
            if each.text("Type").split(" ")[0] == kind:
                given = {
                    to: leaf(typed(each.text(key)), at)
                    for key, to in keys
                    if (at := each.get(key)) is not None and each.text(key)
                }
                parts[api] = tree(given, each)
        yield tree(parts, each)


def _status(name: str, at: Field) -> Node:
    parts: dict[str, Node] = {"name": Node(name, at.first, at.first)}
    for key, api in (("Ready", "ready"), ("Restart Count", "restartCount"), ("Image", "image")):
        if (found := at.get(key)) is not None and found.value:
            parts[api] = leaf(typed(found.value), found)
    for key, api in (("State", "state"), ("Last State", "lastState")):
        found = at.get(key)
        if found is not None and found.value:
            inner = {
                _STATE[part]: leaf(typed(child.value), child)
                for part, child in found.children.items()
                if part in _STATE
            }
            parts[api] = tree({found.value.lower(): tree(inner, found)}, found)
    return tree(parts, at)
