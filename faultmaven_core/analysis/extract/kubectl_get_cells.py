"""One row of a `kubectl get` table, kind by kind, as the `spec` and `status` that the API would show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faultmaven_core.analysis.extract.kubectl_describe_tree import typed
from faultmaven_core.ports.structured_text import Node

Parts = dict[str, Node]

_PHASES = frozenset({"Pending", "Running", "Succeeded", "Failed", "Unknown"})
_ENDED = frozenset({"Completed", "Error", "OOMKilled", "ContainerCannotRun", "DeadlineExceeded", "StartError"})
_OF_POD = frozenset(
    {"Evicted", "NodeLost", "NodeAffinity", "Shutdown", "UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory"}
)
_FRACTION = re.compile(r"(\d+)/(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Cells:
    """A row's cells; every node made from them stands on the row's line."""

    row: Mapping[str, str]
    index: int

    def text(self, column: str) -> str:
        """A cell; empty where the table has no such column or kubectl printed `<none>`."""
        value = self.row.get(column, "")
        return "" if value in ("<none>", "<unset>", "<unknown>") else value

    def node(self, value: str | int | bool) -> Node:
        """A scalar on the row's line."""
        return Node(value, self.index, self.index)

    def tree(self, parts: Mapping[str, Node]) -> Node:
        """A mapping on the row's line."""
        return Node(parts, self.index, self.index)

    def listed(self, items: list[Node]) -> Node:
        """A sequence on the row's line."""
        return Node(tuple(items), self.index, self.index)

    def scalars(self, **columns: str) -> Parts:
        """A node per API field whose column has a value."""
        return {api: self.node(typed(self.text(column))) for api, column in columns.items() if self.text(column)}

    def pairs(self, column: str) -> Node | None:
        """A mapping from `a=b,c=d`; None where the cell is empty."""
        found = dict(part.split("=", 1) for part in self.text(column).split(",") if "=" in part)
        return self.tree({key: self.node(value) for key, value in found.items()}) if found else None

    def containers(self) -> Parts:
        """The pod template that CONTAINERS and IMAGES tell of."""
        names, images = self.text("CONTAINERS").split(","), self.text("IMAGES").split(",")
        if not self.text("CONTAINERS") or len(names) != len(images):
            return {}
        items = [
            self.tree({"name": self.node(name), "image": self.node(image)})
            for name, image in zip(names, images, strict=True)
        ]
        return {"template": self.tree({"spec": self.tree({"containers": self.listed(items)})})}


def _pod(cells: Cells) -> Parts:
    """STATUS is the phase, or the reason why the pod or one of its containers is not well; kubectl does not say which."""
    shown = cells.text("STATUS")
    status: Parts = {}
    match = _FRACTION.match(cells.text("READY"))
    ready, total = (int(match[1]), int(match[2])) if match else (0, 0)
    init, _, reason = shown.partition(":") if shown.startswith("Init:") else ("", "", shown)
    if shown == "Terminating":
        status["deleting"] = cells.node(True)
    elif reason in _PHASES:
        status["phase"] = cells.node(reason)
    elif reason in _OF_POD:
        status |= {"phase": cells.node("Failed"), "reason": cells.node(reason)}
    elif reason and not (init and _FRACTION.match(reason)):
        group = "initContainerStatuses" if init else "containerStatuses"
        ended = reason in _ENDED or reason.startswith(("ExitCode:", "Signal:"))
        state = cells.tree({"reason": cells.node(reason)})
        entry = {"name": cells.node("*"), "state": cells.tree({"terminated" if ended else "waiting": state})}
        status[group] = cells.listed([cells.tree(entry)])
    if match:
        status["containersReady"] = cells.node(ready)
        status["containersTotal"] = cells.node(total)
        good = ready == total and shown in ("Running", "Completed", "Succeeded")
        condition = {"type": cells.node("Ready"), "status": cells.node("True" if good else "False")}
        status["conditions"] = cells.listed([cells.tree(condition)])
    restarts = cells.text("RESTARTS").split(" ", maxsplit=1)[0]
    if restarts.isdecimal():
        status["restarts"] = cells.node(int(restarts))
    return {"spec": cells.tree(cells.scalars(nodeName="NODE")), "status": cells.tree(status)}


def _workload(cells: Cells) -> Parts:
    status = cells.scalars(
        updatedReplicas="UP-TO-DATE",
        availableReplicas="AVAILABLE",
        replicas="CURRENT",
        desiredNumberScheduled="DESIRED",
    )
    spec: Parts = cells.containers()
    match = _FRACTION.match(cells.text("READY"))
    if match:
        spec["replicas"] = cells.node(int(match[2]))
        status["readyReplicas"] = cells.node(int(match[1]))
    elif cells.text("READY").isdecimal():
        status["readyReplicas"] = cells.node(int(cells.text("READY")))
        spec |= cells.scalars(replicas="DESIRED")
    if (selector := cells.pairs("SELECTOR")) is not None:
        spec["selector"] = cells.tree({"matchLabels": selector})
    return {"spec": cells.tree(spec), "status": cells.tree(status)}


def _job(cells: Cells) -> Parts:
    spec: Parts = cells.containers()
    status: Parts = {}
    match = _FRACTION.match(cells.text("COMPLETIONS"))
    if match:
        spec["completions"] = cells.node(int(match[2]))
        status["succeeded"] = cells.node(int(match[1]))
    if cells.text("STATUS") in ("Failed", "Complete"):
        condition = {"type": cells.node(cells.text("STATUS")), "status": cells.node("True")}
        status["conditions"] = cells.listed([cells.tree(condition)])
    return {"spec": cells.tree(spec), "status": cells.tree(status)}


def _cronjob(cells: Cells) -> Parts:
    return {"spec": cells.tree(cells.scalars(schedule="SCHEDULE", suspend="SUSPEND"))}


def _node(cells: Cells) -> Parts:
    words = cells.text("STATUS").split(",")
    condition = {"type": cells.node("Ready"), "status": cells.node("True" if "Ready" in words else "False")}
    status = {"conditions": cells.listed([cells.tree(condition)])}
    spec = {"unschedulable": cells.node(True)} if "SchedulingDisabled" in words else {}
    return {"spec": cells.tree(spec), "status": cells.tree(status)}


def _service(cells: Cells) -> Parts:
    spec = cells.scalars(type="TYPE", clusterIP="CLUSTER-IP")
    ports = [
        cells.tree({"port": cells.node(int(found[1]))})
        for found in re.finditer(r"(\d+)(?::\d+)?/\w+", cells.text("PORT(S)"))
    ]
    if ports:
        spec["ports"] = cells.listed(ports)
    if (selector := cells.pairs("SELECTOR")) is not None:
        spec["selector"] = selector
    return {"spec": cells.tree(spec)}


def _claim(cells: Cells) -> Parts:
    spec = cells.scalars(storageClassName="STORAGECLASS", volumeName="VOLUME")
    return {"spec": cells.tree(spec), "status": cells.tree(cells.scalars(phase="STATUS"))}


def _scaler(cells: Cells) -> Parts:
    spec = cells.scalars(minReplicas="MINPODS", maxReplicas="MAXPODS")
    kind, _, name = cells.text("REFERENCE").partition("/")
    if name:
        spec["scaleTargetRef"] = cells.tree({"kind": cells.node(kind), "name": cells.node(name)})
    status = cells.scalars(currentReplicas="REPLICAS")
    if cells.row.get("TARGETS"):
        status["targets"] = cells.node(cells.row["TARGETS"])
    return {"spec": cells.tree(spec), "status": cells.tree(status)}


def _endpoints(cells: Cells) -> Parts:
    return {"status": cells.tree({"endpoints": cells.node(cells.text("ENDPOINTS"))})}


def _phase(cells: Cells) -> Parts:
    return {"status": cells.tree(cells.scalars(phase="STATUS"))}


def _storageclass(cells: Cells) -> Parts:
    return {"provisioner": cells.node(cells.text("PROVISIONER"))}


def _budget(cells: Cells) -> Parts:
    spec = cells.scalars(minAvailable="MIN AVAILABLE", maxUnavailable="MAX UNAVAILABLE")
    return {"spec": cells.tree(spec), "status": cells.tree(cells.scalars(disruptionsAllowed="ALLOWED DISRUPTIONS"))}


READERS: Mapping[str, Callable[[Cells], Parts]] = {
    "pod": _pod,
    "deployment": _workload,
    "replicaset": _workload,
    "statefulset": _workload,
    "daemonset": _workload,
    "job": _job,
    "cronjob": _cronjob,
    "node": _node,
    "service": _service,
    "persistentvolumeclaim": _claim,
    "persistentvolume": _claim,
    "horizontalpodautoscaler": _scaler,
    "endpoints": _endpoints,
    "namespace": _phase,
    "storageclass": _storageclass,
    "poddisruptionbudget": _budget,
}
