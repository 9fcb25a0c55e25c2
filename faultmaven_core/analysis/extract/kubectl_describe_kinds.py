"""Described objects other than pods, in the shape of the API; how each kind is recognised."""

from __future__ import annotations

import re
from collections.abc import Callable

from faultmaven_core.analysis.extract.kubectl_describe_pod import pod, pod_spec
from faultmaven_core.analysis.extract.kubectl_describe_tree import Field, conditions, leaf, pairs, tree, typed
from faultmaven_core.ports.structured_text import Node

Parts = dict[str, Node]

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Deployment", ("StrategyType",)),
    ("CronJob", ("Schedule", "Concurrency Policy")),
    ("Job", ("Parallelism", "Pods Statuses")),
    ("DaemonSet", ("Desired Number of Nodes Scheduled",)),
    ("StatefulSet", ("Update Strategy", "Replicas")),
    ("StatefulSet", ("Volume Claims", "Replicas")),
    ("ReplicaSet", ("Pods Status", "Replicas")),
    ("Node", ("Allocatable", "Capacity")),
    ("Pod", ("Containers", "Status")),
    ("Pod", ("Status", "QoS Class")),
    ("HorizontalPodAutoscaler", ("Reference", "Min replicas")),
    ("PersistentVolume", ("Reclaim Policy", "Claim")),
    ("PersistentVolumeClaim", ("StorageClass", "Access Modes", "Finalizers")),
    ("PersistentVolumeClaim", ("StorageClass", "VolumeMode")),
    ("Service", ("Session Affinity", "Type")),
    ("Ingress", ("Rules", "Address")),
    ("StorageClass", ("Provisioner",)),
    ("ServiceAccount", ("Mountable secrets",)),
    ("Secret", ("Type", "Data")),
    ("ConfigMap", ("Data",)),
    ("PodDisruptionBudget", ("Allowed disruptions",)),
)


def kind_of(root: Field) -> str:
    """The API's name of the kind, told from the fields that only this kind's description has; empty where unknown."""
    if root.text("Kind"):
        return root.text("Kind")
    for kind, keys in _KINDS:
        if all(key in root.children for key in keys):
            return kind
    return "Namespace" if root.text("Status") in ("Active", "Terminating") and "Namespace" not in root.children else ""


def parts_of(kind: str, root: Field) -> Parts:
    """The `spec` and `status` of a described object of this kind."""
    read = _READERS.get(kind)
    return read(root) if read is not None else {}


_REPLICAS = re.compile(r"(\d+) (desired|updated|total|available|unavailable|current)")
_OF_API = {
    "updated": "updatedReplicas",
    "total": "replicas",
    "available": "availableReplicas",
    "unavailable": "unavailableReplicas",
    "current": "replicas",
}
_PODS = re.compile(r"(\d+) (Running|Waiting|Succeeded|Failed|Active)")


def _template(root: Field) -> Parts:
    found = root.get("Pod Template")
    if found is None:
        return {}
    parts = {"spec": tree(pod_spec(found), found)}
    if (labels := pairs(found.get("Labels"))) is not None:
        parts["metadata"] = tree({"labels": labels}, found)
    return {"template": tree(parts, found)}


def _workload(root: Field) -> Parts:
    spec: Parts = _template(root)
    status: Parts = {}
    if (selector := pairs(root.get("Selector"))) is not None:
        spec["selector"] = tree({"matchLabels": selector}, root)
    found = root.get("Replicas")
    for number, word in _REPLICAS.findall(found.value) if found else ():
        if word == "desired":
            spec["replicas"] = leaf(int(number), found or root)
        else:
            status[_OF_API[word]] = leaf(int(number), found or root)
    for key, api in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        if (each := root.get(key)) is not None:
            status[api] = leaf(typed(each.value), each)
    if (listed := conditions(root.get("Conditions"))) is not None:
        status["conditions"] = listed
    return {"spec": tree(spec, root), "status": tree(status, root)}


def _job(root: Field) -> Parts:
    spec: Parts = _template(root)
    status: Parts = {}
    for key, api in (
        ("Parallelism", "parallelism"),
        ("Completions", "completions"),
        ("Suspend", "suspend"),
        ("Backoff Limit", "backoffLimit"),
        ("Active Deadline Seconds", "activeDeadlineSeconds"),
    ):
        found = root.get(key)
        if found is not None and root.text(key):
            spec[api] = leaf(typed(found.value.removesuffix("s") if key.endswith("Seconds") else found.value), found)
    found = root.get("Pods Statuses")
    for number, word in _PODS.findall(found.value) if found else ():
        status[word.lower()] = leaf(int(number), found or root)
    for key, api in (("Start Time", "startTime"), ("Completed At", "completionTime")):
        if (at := root.get(key)) is not None:
            status[api] = leaf(at.value, at)
    return {"spec": tree(spec, root), "status": tree(status, root)}


def _cronjob(root: Field) -> Parts:
    inner = tree({"spec": tree(_template(root), root)}, root)
    spec: Parts = {"jobTemplate": inner}
    for key, api in (("Schedule", "schedule"), ("Suspend", "suspend"), ("Concurrency Policy", "concurrencyPolicy")):
        if (found := root.get(key)) is not None:
            spec[api] = leaf(typed(found.value), found)
    return {"spec": tree(spec, root)}


def _service(root: Field) -> Parts:
    spec: Parts = {}
    if (selector := pairs(root.get("Selector"))) is not None:
        spec["selector"] = selector
    if (found := root.get("Type")) is not None:
        spec["type"] = leaf(found.value, found)
    ports = []
    for mark in ("", *(f" {number}" for number in range(2, 33))):
        found, target = root.get(f"Port{mark}"), root.get(f"TargetPort{mark}")
        match = re.match(r"(?:(?P<name>\S+)\s+)?(?P<port>\d+)/(?P<protocol>\w+)", found.value) if found else None
        if found is None or match is None:
            break
        port = {"port": leaf(int(match["port"]), found), "protocol": leaf(match["protocol"], found)}
        if match["name"] and match["name"] != "<unset>":
            port["name"] = leaf(match["name"], found)
        if target is not None:
            port["targetPort"] = leaf(typed(target.value.split("/")[0]), target)
        ports.append(tree(port, found))
    if ports:
        spec["ports"] = Node(tuple(ports), ports[0].first, ports[-1].last)
    parts = {"spec": tree(spec, root)}
    if (ends := root.get("Endpoints")) is not None:
        parts["status"] = tree({"endpoints": leaf(root.text("Endpoints"), ends)}, root)
    return parts


def _ingress(root: Field) -> Parts:
    found = root.get("Rules")
    paths = []
    for index, text in found.all_lines() if found else ():
        match = re.search(r"(?P<path>/\S*)?\s+(?P<service>[\w.-]+):(?P<port>[\w-]+) \((?P<ends>.*)\)", f" {text}")
        if match is not None:
            port = typed(match["port"])
            number = "number" if isinstance(port, int) else "name"
            service = {
                "name": Node(match["service"], index, index),
                "port": Node({number: Node(port, index, index)}, index, index),
            }
            backend = Node({"service": Node(service, index, index)}, index, index)
            paths.append(Node({"path": Node(match["path"] or "/", index, index), "backend": backend}, index, index))
    if found is None or not paths:
        return {}
    http = tree({"paths": Node(tuple(paths), found.first, found.last)}, found)
    rules = Node((tree({"http": http}, found),), found.first, found.last)
    return {"spec": tree({"rules": rules}, root)}


def _node(root: Field) -> Parts:
    status: Parts = {
        api: tree({name: leaf(typed(each.value), each) for name, each in found.children.items()}, found)
        for key, api in (("Capacity", "capacity"), ("Allocatable", "allocatable"))
        if (found := root.get(key)) is not None
    }
    if (listed := conditions(root.get("Conditions"))) is not None:
        status["conditions"] = listed
    spec: Parts = {}
    taints = root.get("Taints")
    if taints is not None and root.text("Taints"):
        items = []
        for index, text in taints.all_lines():
            key, _, effect = text.partition(":")
            name, _, value = key.partition("=")
            given = {"key": name, "value": value, "effect": effect}
            items.append(Node({k: Node(v, index, index) for k, v in given.items() if v}, index, index))
        spec["taints"] = Node(tuple(items), taints.first, taints.last)
    if (found := root.get("Unschedulable")) is not None:
        spec["unschedulable"] = leaf(typed(found.value), found)
    return {"spec": tree(spec, root), "status": tree(status, root)}


def _claim(root: Field) -> Parts:
    spec: Parts = {}
    status: Parts = {}
    for key, api in (("StorageClass", "storageClassName"), ("Volume", "volumeName")):
        if root.text(key) and (found := root.get(key)) is not None:
            spec[api] = leaf(found.value, found)
    if (found := root.get("Status")) is not None:
        status["phase"] = leaf(found.value.split(" ")[0], found)
    return {"spec": tree(spec, root), "status": tree(status, root)}


def _scaler(root: Field) -> Parts:
    spec: Parts = {}
    for key, api in (("Min replicas", "minReplicas"), ("Max replicas", "maxReplicas")):
        if (found := root.get(key)) is not None:
            spec[api] = leaf(typed(found.value), found)
    found = root.get("Reference")
    kind, _, name = found.value.partition("/") if found else ("", "", "")
    if found is not None and name:
        spec["scaleTargetRef"] = tree({"kind": leaf(kind, found), "name": leaf(name, found)}, found)
    status = {"conditions": listed} if (listed := conditions(root.get("Conditions"))) is not None else {}
    return {"spec": tree(spec, root), "status": tree(status, root)}


def _phase(root: Field) -> Parts:
    found = root.get("Status")
    return {"status": tree({"phase": leaf(found.value, found)}, root)} if found is not None else {}


_READERS: dict[str, Callable[[Field], Parts]] = {
    "Pod": pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Job": _job,
    "CronJob": _cronjob,
    "Service": _service,
    "Ingress": _ingress,
    "Node": _node,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _claim,
    "HorizontalPodAutoscaler": _scaler,
    "Namespace": _phase,
}
