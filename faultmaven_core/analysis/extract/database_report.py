"""Reports on a database's load: top statements, what sessions wait for, who and where from (Performance Insights and kin)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from faultmaven_core.analysis.extract.cloudwatch import time_series
from faultmaven_core.analysis.extract.metrics_labels import entity_of
from faultmaven_core.analysis.extract.metrics_series import number
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node

_STATEMENTS = ("top_sql", "top_statements", "top_queries", "statements", "TopSql")
_WAITS = ("top_wait_events", "wait_events", "top_waits", "TopWaitEvents")
_USERS = ("top_users", "TopUsers")
_HOSTS = ("top_hosts", "TopHosts")
_LOAD = ("db_load_avg", "load", "avg_load", "db_load", "aas", "Total", "total", "average_active_sessions")
_CALLS = ("calls_per_sec", "calls_per_second", "calls", "executions_per_sec")
_TEXT = ("statement", "sql", "query", "sql_text", "text", "digest_text")
_NAME = ("name", "event", "wait_event", "user", "host", "id")

_CLASSES = (
    ("client", ("Client:", "Idle", "Activity:Client")),
    ("maintenance", ("Timeout:VacuumDelay", "IO:CheckpointSync", "LWLock:Checkpointer")),
    ("wal", ("IO:WAL", "LWLock:WAL", "IO:XactSync", "io/redo", "io/file/innodb/innodb_log")),
    ("buffer", ("LWLock:Buffer", "LWLock:buffer", "IO:BufferSync", "BufferPin")),
    ("replication", ("IPC:SyncRep", "Replication", "IO:ReplicationSlot", "Lock:spectoken")),
    ("lock", ("Lock:", "synch/cond/", "synch/mutex/", "io/table/sql/handler", "row lock")),
    ("io", ("IO:", "io/")),
    ("cpu", ("CPU",)),
)
"""Classes of wait events by how their names begin: PostgreSQL's table 28.4, Aurora's and RDS's lists of wait events.

`client`: the server has its answer ready, or waits for the next command: the session holds its connection and does nothing.
"""


_MAINTENANCE = re.compile(
    r"(?i)\A\W*(?:auto)?(?:vacuum|analyze)\b|\bcheckpointer\b|\Acheckpoint\b|\A(?:re)?index\b|\Acreate (?:unique )?index\b|"
    r"\A(?:optimize|repair|alter|cluster|reindex|truncate) |\bpg_dump\b|\bbackup\b|\bpg_basebackup\b|\brefresh materialized\b|"
    r"\bautovacuum\b"
)
"""Statements that nobody's request waits for by itself: vacuum, checkpoints, index builds, table rewrites, backups."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    load: float
    node: Node


def database_report(node: Node, passage: Passage, out: Findings) -> bool:
    """Facts `database.*` of a report, and its load as a series."""
    statements = list(_entries(node, _STATEMENTS, _TEXT))
    waits = list(_entries(node, _WAITS, _NAME))
    if not statements and not waits:
        return False
    scalars = {key: str(child.value) for key, child in node.entries() if isinstance(child.value, str | int | float)}
    subject = entity_of(scalars, out.origin)
    total = max(sum(e.load for e in waits), sum(e.load for e in statements))
    for rank, entry in enumerate(statements):
        _statement(rank, entry, total, subject, passage, out)
    _maintenance(statements, total, subject, passage, out)
    _waits(waits or list(_merged(statements)), total, subject, passage, out)
    for kind, keys in (("user", _USERS), ("host", _HOSTS)):
        for rank, entry in enumerate(_entries(node, keys, _NAME)):
            params = (("load", f"{entry.load:g}"),)
            span = passage.span(entry.node.first, entry.node.last)
            out.fact(subject, f"database.top_{kind}.{rank}", entry.name, span, Mode.METRIC, params=params)
    time_series(node, passage, out)
    return True


def _entries(node: Node, keys: tuple[str, ...], names: tuple[str, ...]) -> Iterator[_Entry]:
    items = next((node.items(key) for key in keys if node.items(key)), ())
    for item in items:
        name = next((item.text(key) for key in names if item.text(key)), "")
        load = next((number(child.value) for key in _LOAD if (child := item.get(key)) is not None), 0.0)
        if name:
            yield _Entry(" ".join(name.split()), load if 0 <= load < inf else 0.0, item)


def _merged(statements: list[_Entry]) -> Iterator[_Entry]:
    """The waits of all statements, added up, where the report has no list of its own."""
    found: dict[str, _Entry] = {}
    for statement in statements:
        for entry in _entries(statement.node, _WAITS, _NAME):
            before = found.get(entry.name)
            found[entry.name] = _Entry(entry.name, entry.load + (before.load if before else 0.0), entry.node)
    yield from found.values()


def _share(load: float, total: float) -> float:
    return round(load / total, 3) if total > 0 else 0.0


def _statement(rank: int, entry: _Entry, total: float, subject: Entity, passage: Passage, out: Findings) -> None:
    waits = sorted(_entries(entry.node, _WAITS, _NAME), key=lambda wait: (-wait.load, wait.name))
    calls = next((entry.node.text(key) for key in _CALLS if entry.node.text(key)), "")
    params = {
        "statement": entry.name[:120],
        "statement_load": f"{entry.load:g}",
        "statement_share": f"{_share(entry.load, total):.0%}",
        "calls": calls,
        "statement_waits": ", ".join(f"{wait.name} {wait.load:g}" for wait in waits[:3]),
    }
    out.fact(
        subject,
        f"database.top_sql.{rank}",
        entry.name,
        passage.span(entry.node.first, entry.node.last),
        Mode.METRIC,
        params=tuple(sorted((key, value) for key, value in params.items() if value)),
    )


def _maintenance(statements: list[_Entry], total: float, subject: Entity, passage: Passage, out: Findings) -> None:
    """How much of the load the server's and operators' housekeeping makes.

    `database.maintenance_load` in average active sessions, `database.maintenance_share` from 0 to 1.
    """
    own = sorted((e for e in statements if _MAINTENANCE.search(e.name)), key=lambda e: (-e.load, e.name))
    load = sum(entry.load for entry in own)
    lead = own[0] if own else statements[0] if statements else None
    if lead is None:
        return
    share = _share(load, total)
    params = (
        ("maintenance", lead.name[:120]),
        ("maintenance_load", f"{load:g}"),
        ("maintenance_share", f"{share:.0%}"),
    )
    span = passage.span(lead.node.first, lead.node.last)
    said = params if own else ()
    out.fact(subject, "database.maintenance_share", share, span, Mode.METRIC, params=said)
    out.fact(subject, "database.maintenance_load", round(load, 3), span, Mode.METRIC, params=said)


def _waits(waits: list[_Entry], total: float, subject: Entity, passage: Passage, out: Findings) -> None:
    """`database.wait.<event>` and `database.wait_load.<class>` in average active sessions.

    `database.wait_share.<class>` is the share of the load, 0 to 1.
    """
    ranked = sorted(waits, key=lambda entry: (-entry.load, entry.name))
    by_class: Mapping[str, list[_Entry]] = {name: [e for e in ranked if _class(e.name) == name] for name, _ in _CLASSES}
    for rank, entry in enumerate(ranked):
        share = f"{_share(entry.load, total):.0%}"
        params = (("wait", entry.name), ("wait_load", f"{entry.load:g}"), ("wait_share", share))
        span = passage.span(entry.node.first, entry.node.last)
        out.fact(subject, f"database.wait.{entry.name}", entry.load, span, Mode.METRIC, params=params)
        if rank == 0:
            out.fact(subject, "database.dominant_wait", entry.name, span, Mode.METRIC, params=params)
    for name, members in by_class.items():
        if members:
            first = min(entry.node.first for entry in members)
            last = max(entry.node.last for entry in members)
            listed = ", ".join(f"{entry.name} {entry.load:g}" for entry in members[:3])
            part = _share(sum(entry.load for entry in members), total)
            said = ((f"{name}_share", f"{part:.0%}"), (f"{name}_waits", listed))
            span = passage.span(first, last)
            out.fact(subject, f"database.wait_share.{name}", part, span, Mode.METRIC, params=said)
            load = round(sum(entry.load for entry in members), 3)
            out.fact(subject, f"database.wait_load.{name}", load, span, Mode.METRIC, params=said)


def _class(wait: str) -> str:
    return next((name for name, prefixes in _CLASSES if wait.startswith(prefixes)), "other")
