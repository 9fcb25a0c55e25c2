"""Causes and consequences in databases, told apart from generated telemetry by the whole analysis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.mechanisms.load import mechanisms
from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import RcaRecord

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTES = 20
GIGABYTE = 1024.0**3
UNITS = {
    "CPUUtilization": "Percent",
    "FreeStorageSpace": "Bytes",
    "FreeableMemory": "Bytes",
    "SwapUsage": "Bytes",
    "DatabaseConnections": "Count",
    "WriteIOPS": "Count/Second",
    "WriteLatency": "Milliseconds",
    "ReplicaLag": "Seconds",
    "TransactionLogsGeneration": "Bytes/Second",
    "DiskQueueDepth": "Count",
}


def at(minute: float) -> str:
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def calm(level: float) -> list[float]:
    return [round(level * (1 + 0.03 * float(np.sin(n * 2.3))), 4) for n in range(MINUTES)]


def step(before: float, after: float, minute: int = 9, until: int = MINUTES) -> list[float]:
    values = calm(before)
    values[minute:until] = calm(after)[minute:until]
    return values


def metrics(series: Mapping[str, Sequence[float]], name: str = "shop-db") -> dict[str, object]:
    return {
        "metric_data_results": [
            {
                "metric_name": metric,
                "dimensions": [
                    {"Name": "DBInstanceIdentifier", "Value": f"{name}-replica-1" if metric == "ReplicaLag" else name}
                ],
                "unit": UNITS[metric],
                "timestamps": [at(n) for n in range(len(values))],
                "values": list(values),
            }
            for metric, values in series.items()
        ]
    }


def events(*said: tuple[float, str]) -> dict[str, object]:
    return {
        "events": [
            {"date": at(m), "message": text, "source_identifier": "shop-db", "source_type": "db-instance"}
            for m, text in said
        ]
    }


def load(statements: Mapping[str, float], waits: Mapping[str, float]) -> dict[str, object]:
    return {
        "db_instance_identifier": "shop-db",
        "top_sql": [{"statement": text, "db_load_avg": value} for text, value in statements.items()],
        "top_wait_events": [{"name": name, "db_load_avg": value} for name, value in waits.items()],
    }


def alert(name: str, summary: str) -> dict[str, object]:
    return {
        "title": f"{name} on shop-db",
        "state": "alerting",
        "commonLabels": {"alertname": name, "severity": "critical"},
        "commonAnnotations": {"summary": summary, "db_instance": "shop-db"},
    }


def investigate(tools: Tools, *documents: Mapping[str, object]) -> RcaRecord:
    sources = {f"{n}.json": json.dumps(document, indent=1).encode() for n, document in enumerate(documents)}
    return analyse(sources, Request("case_1", "What is wrong with shop-db?", "0"), tools)


QUERY = "SELECT * FROM orders o JOIN items i ON i.order_id = o.id WHERE lower(o.note) LIKE $1"
INSERT = "INSERT INTO audit (at, who, what) SELECT now(), $1, $2"
NORMAL = {
    "CPUUtilization": calm(25),
    "DatabaseConnections": calm(120),
    "WriteIOPS": calm(900),
    "FreeStorageSpace": calm(80 * GIGABYTE),
}

CASES: dict[str, tuple[str, list[Mapping[str, object]]]] = {
    "free storage measured": (
        "database.storage_full",
        [
            metrics(
                {
                    **NORMAL,
                    "FreeStorageSpace": step(30 * GIGABYTE, 0.01 * GIGABYTE),
                    "WriteIOPS": step(900, 0.5),
                    "WriteLatency": step(2, 9000),
                }
            ),
            events((9, "The allocated storage for the DB instance has been consumed.")),
            alert("WriteLatencyHigh", "Writes take seconds."),
        ],
    ),
    "storage full by events alone": (
        "database.storage_full",
        [
            metrics({"WriteIOPS": step(900, 0.5), "WriteLatency": step(2, 9000)}),
            load({INSERT: 8.0}, {"Lock:transactionid": 7.0, "IO:DataFileExtend": 1.0}),
            events((9, "DB instance shop-db ran out of disk space, status is storage-full.")),
        ],
    ),
    "a query uses the processors": (
        "database.cpu_by_query",
        [
            metrics({**NORMAL, "CPUUtilization": step(25, 97)}),
            load({QUERY: 7.0, "SELECT 1": 0.5}, {"CPU": 6.5, "IO:DataFileRead": 1.0}),
            alert("CPUHigh", "CPU of shop-db is above 90 %."),
        ],
    ),
    "vacuum and its log use the disks, and so the processors": (
        "database.maintenance_io",
        [
            metrics(
                {
                    **NORMAL,
                    "CPUUtilization": step(25, 95),
                    "WriteIOPS": step(900, 20000),
                    "DiskQueueDepth": step(0.2, 60),
                    "TransactionLogsGeneration": step(4e6, 2e8),
                }
            ),
            load(
                {"autovacuum: VACUUM public.orders (to prevent wraparound)": 7.0, INSERT: 0.8},
                {"IO:WALWrite": 4.0, "LWLock:BufferContent": 3.0, "CPU": 0.6},
            ),
            events((10, "LOG: checkpoints are occurring too frequently (7 seconds apart)")),
            alert("CPUHigh", "CPU of shop-db is above 90 %."),
        ],
    ),
    "idle sessions take all connections": (
        "database.connection_leak",
        [
            metrics({**NORMAL, "DatabaseConnections": step(120, 498), "CPUUtilization": step(25, 93)}),
            load({"SELECT 1": 3.0}, {"Client:ClientRead": 5.0, "CPU": 0.8}),
            events((12, "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute")),
        ],
    ),
    "busy sessions take all connections": (
        "database.connections_exhausted",
        [
            metrics({**NORMAL, "DatabaseConnections": step(120, 498)}),
            events((12, "FATAL: sorry, too many clients already")),
        ],
    ),
    "a standby takes over": (
        "database.failover",
        [
            metrics({**NORMAL, "DatabaseConnections": step(120, 0, 9, 12), "WriteIOPS": step(900, 0, 9, 12)}),
            events(
                (9, "Multi-AZ instance failover started. Reason: host unreachable."),
                (11, "Multi-AZ instance failover completed."),
            ),
        ],
    ),
    "sessions queue behind a lock": (
        "database.lock_contention",
        [
            metrics({**NORMAL, "DatabaseConnections": step(120, 380)}),
            load({"UPDATE stock SET n = n - $1 WHERE id = $2": 9.0}, {"Lock:transactionid": 8.5, "CPU": 0.4}),
            events((12, "LOG: process 812 still waiting for ShareLock on transaction 9911 after 1000.1 ms")),
        ],
    ),
    "a replica cannot follow the writes": (
        "database.replication_lag",
        [
            metrics(
                {
                    **NORMAL,
                    "ReplicaLag": step(0.5, 900),
                    "WriteIOPS": step(900, 9000),
                    "TransactionLogsGeneration": step(4e6, 1e8),
                }
            ),
            load({INSERT: 5.0}, {"IO:WALWrite": 2.0, "CPU": 1.0, "IO:DataFileWrite": 1.0}),
            alert("ReplicaLagHigh", "The replica of shop-db lags."),
        ],
    ),
    "memory ends": (
        "database.memory_pressure",
        [
            metrics(
                {
                    **NORMAL,
                    "FreeableMemory": step(16 * GIGABYTE, 0.05 * GIGABYTE),
                    "SwapUsage": step(0.1 * GIGABYTE, 6 * GIGABYTE),
                }
            )
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_named_and_not_its_consequence(tools: Tools, name: str) -> None:
    """High CPU, many connections and slow writes are what people see; what sessions wait for tells why."""
    expected, documents = CASES[name]
    record = investigate(tools, *documents)
    assert record.root_cause is not None
    assert record.root_cause.mechanism_id == expected
    assert record.root_cause.entity.name.startswith("shop-db")
    assert "shop-db" in record.root_cause.statement
    assert record.verdict is Verdict.PROBABLE


def test_storage_that_was_extended_is_no_active_failure(tools: Tools) -> None:
    """Current state outranks history: it is full no more."""
    record = investigate(
        tools,
        metrics(
            {**NORMAL, "FreeStorageSpace": [*calm(20 * GIGABYTE)[:6], *[1.5 * GIGABYTE] * 5, *calm(90 * GIGABYTE)[11:]]}
        ),
        events((8, "Storage autoscaling initiated: free storage is low."), (11, "Storage autoscaling completed.")),
        alert("FreeStorageLow", "Free storage of shop-db is below 2 GB."),
    )
    assert record.root_cause is None
    assert record.verdict in (Verdict.HEALTHY, Verdict.INSUFFICIENT_EVIDENCE)


def test_a_calm_database_has_no_cause(tools: Tools) -> None:
    """Load alone is no fault."""
    record = investigate(tools, metrics(NORMAL), load({QUERY: 0.6}, {"CPU": 0.4, "IO:DataFileRead": 0.2}))
    assert record.root_cause is None


def test_storage_that_only_shrinks_is_not_full(tools: Tools) -> None:
    """From 80 GB to 40 GB is worth a look, no outage."""
    record = investigate(tools, metrics({**NORMAL, "FreeStorageSpace": step(80 * GIGABYTE, 40 * GIGABYTE)}))
    assert record.root_cause is None


def test_the_catalogue_covers_what_is_promised() -> None:
    """At least nine ways in which databases and services show trouble in telemetry."""
    assert sum(m.id.startswith(("database.", "metrics.")) for m in mechanisms()) >= 9
