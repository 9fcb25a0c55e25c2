"""Tables of `kubectl get`, of any kind, to objects in the shape of the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faultmaven_core.analysis.extract.kubectl_get_cells import READERS, Cells
from faultmaven_core.analysis.extract.kubectl_table import Header
from faultmaven_core.analysis.extract.kubernetes import CLUSTER_SCOPED, read_object
from faultmaven_core.analysis.extract.kubernetes_events import event, repeats
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node

_HEADER = re.compile(r"(?:NAMESPACE\s{2,})?(?:NAME|LAST SEEN)\s{2,}\S.*")

# The columns that only this kind's table has; the first that are all there decide.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("event", ("LAST SEEN", "REASON", "MESSAGE")),
    ("horizontalpodautoscaler", ("REFERENCE", "MINPODS", "MAXPODS")),
    ("cronjob", ("SCHEDULE", "SUSPEND")),
    ("job", ("COMPLETIONS", "DURATION")),
    ("daemonset", ("DESIRED", "CURRENT", "NODE SELECTOR")),
    ("deployment", ("UP-TO-DATE", "AVAILABLE", "READY")),
    ("replicaset", ("DESIRED", "CURRENT", "READY")),
    ("pod", ("READY", "STATUS", "RESTARTS")),
    ("node", ("STATUS", "ROLES", "VERSION")),
    ("service", ("TYPE", "CLUSTER-IP")),
    ("ingress", ("HOSTS", "ADDRESS")),
    ("persistentvolumeclaim", ("STATUS", "VOLUME", "CAPACITY")),
    ("persistentvolume", ("RECLAIM POLICY", "CLAIM")),
    ("storageclass", ("PROVISIONER", "RECLAIMPOLICY")),
    ("poddisruptionbudget", ("MIN AVAILABLE", "ALLOWED DISRUPTIONS")),
    ("endpoints", ("ENDPOINTS",)),
    ("networkpolicy", ("POD-SELECTOR",)),
    ("secret", ("TYPE", "DATA")),
    ("serviceaccount", ("SECRETS",)),
    ("configmap", ("DATA",)),
    ("statefulset", ("READY", "CONTAINERS")),
    ("statefulset", ("READY",)),
    ("namespace", ("STATUS",)),
)

_HEADLESS_POD = re.compile(
    r"(?:(?P<namespace>[a-z0-9][\w.-]*)\s{2,})?(?P<name>[a-z0-9][\w.-]*)\s{2,}(?P<ready>\d+/\d+)\s{2,}(?P<status>[A-Z][\w:/.-]*)"
    r"\s{2,}(?P<restarts>\d+(?: \([^)]*\))?)\s{2,}(?P<age>\d\w*)(?:\s{2,}(?P<ip>[\d.a-f:]+|<none>)\s{2,}(?P<node>\S+)"
    r"\s{2,}<\S+>\s{2,}<\S+>(?:\s{2,}(?P<labels>\S+))?)?\s*"
)
_BRANCH = re.compile(r"[ │]*[├└]─+ *")
_OWNS = frozenset(
    {
        ("cronjob", "job"),
        ("daemonset", "pod"),
        ("deployment", "replicaset"),
        ("job", "pod"),
        ("replicaset", "pod"),
        ("statefulset", "pod"),
    }
)


def get(passage: Passage, out: Findings) -> None:
    """All tables of the passage; each begins with its header, rows of pods are read without one too."""
    header: Header | None = None
    kind = ""
    unread = 0
    lineage = _Lineage([])
    for index, line in enumerate(passage.lines):
        if not line.strip():
            header = None
        elif _HEADER.fullmatch(line.rstrip()) and line.strip().isupper():
            header = Header.of(line)
            kind = next((kind for kind, columns in _KINDS if set(columns) <= set(header.names)), "")
        elif header is not None and _BRANCH.match(line):
            unread += not lineage.row(header, index, passage, out)
        elif header is not None:
            row = header.row(line)
            found = _row(row, kind, index, passage, out) if row is not None else None
            lineage = _Lineage([(0, found)] if found is not None else [])
            unread += found is None
        elif match := _HEADLESS_POD.fullmatch(line.rstrip()):
            cells = {key.upper(): value for key, value in match.groupdict().items() if value}
            _row(cells, "pod", index, passage, out)
    if unread:
        out.problems.append(f"{unread} rows of `kubectl get` tables do not fit their header and are left out.")


@dataclass(slots=True)
class _Lineage:
    """The rows above a row of a tree (`kubectl lineage`, `kubectl tree`), the root first, with their depth."""

    above: list[tuple[int, Entity]]

    def row(self, header: Header, index: int, passage: Passage, out: Findings) -> bool:
        """Read a row of the tree; what stands right above it owns it, or is what an event is about."""
        line = passage.lines[index]
        mark = _BRANCH.match(line)
        depth = mark.end() if mark is not None else 0
        while self.above and self.above[-1][0] >= depth:
            self.above.pop()
        row = header.row(line)
        if row is None or not self.above:
            return False
        parent = self.above[-1][1]
        name = line[depth:].split(" ", 1)[0]
        if name.startswith("Event/"):
            reason, _, message = row.get("STATUS", "").partition(": ")
            event(out, parent, reason, message, passage.span(index), age=row.get("AGE", ""))
            return True
        entity = _row({**row, "NAME": name}, "", index, passage, out)
        if entity is None:
            return False
        if (parent.kind, entity.kind) in _OWNS:
            out.relation("owns", parent, entity, passage.span(index))
        self.above.append((depth, entity))
        return True


def _row(row: Mapping[str, str], kind: str, index: int, passage: Passage, out: Findings) -> Entity | None:
    if kind == "event":
        return _event(row, index, passage, out)
    prefix, _, name = row.get("NAME", "").rpartition("/")
    kind = prefix.split(".")[0].lower() if prefix else kind
    if not kind or not name:
        return None
    namespace = "" if kind in CLUSTER_SCOPED else row.get("NAMESPACE", "")
    cells = Cells(row, index)
    metadata = {"name": cells.node(name), "namespace": cells.node(namespace)}
    labels = cells.pairs("LABELS")
    if labels is not None:
        metadata["labels"] = labels
    read: Callable[[Cells], dict[str, Node]] | None = READERS.get(kind)
    parts = {"kind": cells.node(kind), "metadata": cells.tree(metadata), **(read(cells) if read else {})}
    entity = read_object(cells.tree(parts), passage, out)
    if entity is not None and row.get("AGE"):
        out.fact(entity, "metadata.age", row["AGE"], passage.span(index), Mode.STATUS)
    return entity


def _event(row: Mapping[str, str], index: int, passage: Passage, out: Findings) -> Entity | None:
    kind, _, name = row.get("OBJECT", "").partition("/")
    if not name:
        return None
    about = Entity(kind.lower(), name, "" if kind.lower() in CLUSTER_SCOPED else row.get("NAMESPACE", ""))
    age = row["LAST SEEN"]
    number = row.get("COUNT", "")
    times = int(number) if number.isdecimal() else repeats(age)
    event(
        out, about, row["REASON"], row["MESSAGE"], passage.span(index), level=row.get("TYPE", ""), count=times, age=age
    )
    return about
