"""What a database's sessions wait for, told apart by class."""

from __future__ import annotations

import json
from collections.abc import Callable

from faultmaven_core.analysis.extract.tools import Findings

Read = Callable[[str], Findings]


def report(*statements: tuple[str, float], waits: dict[str, float] | None = None) -> str:
    document: dict[str, object] = {
        "db_instance_identifier": "orders",
        "db_load": {"timestamps": ["2026-01-01T00:00:00Z"], "values": [4.0], "unit": "AAS"},
        "top_sql": [
            {
                "statement": text,
                "db_load_avg": load,
                "wait_events": [{"name": "CPU", "db_load_avg": load}],
                "calls_per_sec": 3,
            }
            for text, load in statements
        ],
        "top_users": [{"name": "app", "db_load_avg": 1}],
    }
    if waits:
        document["top_wait_events"] = [{"name": name, "db_load_avg": load} for name, load in waits.items()]
    return json.dumps(document, indent=1)


def values(out: Findings) -> dict[str, object]:
    return {f.attribute: f.value for f in out.facts}


def test_waits_are_summed_by_class_as_shares_of_the_load(read: Read) -> None:
    """Names decide: PostgreSQL's, and those of MySQL's performance schema."""
    found = values(
        read(
            report(
                ("SELECT 1", 8.0),
                waits={
                    "Client:ClientRead": 4,
                    "CPU": 2,
                    "IO:WALWrite": 1,
                    "Lock:tuple": 0.5,
                    "io/table/sql/handler": 0.5,
                },
            )
        )
    )
    assert found["database.wait_share.client"] == 0.5
    assert found["database.wait_share.cpu"] == 0.25
    assert found["database.wait_share.wal"] == 0.125
    assert found["database.wait_share.lock"] == 0.125
    assert found["database.dominant_wait"] == "Client:ClientRead"
    assert found["database.top_user.0"] == "app"


def test_housekeeping_is_told_from_work(read: Read) -> None:
    """Vacuum and index builds are nobody's request."""
    out = read(report(("autovacuum: VACUUM public.orders", 6.0), ("INSERT INTO vacuum_log VALUES ($1)", 2.0)))
    share = next(f for f in out.facts if f.attribute == "database.maintenance_share")
    assert share.value == 0.75
    assert dict(share.params)["maintenance"] == "autovacuum: VACUUM public.orders"
    assert values(read(report(("SELECT 1", 2.0))))["database.maintenance_share"] == 0.0


def test_without_a_list_of_waits_those_of_the_statements_are_added_up(read: Read) -> None:
    """And the load over time is a series of the instance."""
    out = read(report(("SELECT 1", 2.0), ("SELECT 2", 1.0)))
    assert values(out)["database.wait.CPU"] == 3.0
    assert [(str(s.entity), s.metric, s.unit) for s in out.series] == [("database orders", "db_load", "AAS")]
