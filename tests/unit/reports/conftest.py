"""A record with something in every part, and evidence text that tries to become markup."""

from __future__ import annotations

from typing import Any

import pytest

from faultmaven_core.ports.report_renderer import Chart, Excerpt, ExcerptLine, Exhibits

LOG = "bundle/logs/shop/checkout.log"
HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}{% raw %}"


def _entity(kind: str, name: str, namespace: str = "") -> dict[str, str]:
    return {"kind": kind, "name": name, "namespace": namespace}


def _claim(name: str, text: str, file: str, line: int) -> dict[str, Any]:
    place = {"file": file, "sha256": "a" * 64, "bytes": [0, 9], "lines": [line, line], "text_sha256": "b" * 64}
    return {"id": name, "text": text, "kind": "observed", "status": "verified", "citations": [place]}


@pytest.fixture
def record() -> dict[str, Any]:
    """A record in its published JSON form; every free text holds hostile markup."""
    pod = _entity("pod", f"checkout{HOSTILE}", "shop")
    prediction = {"text": f"connections stand at the limit {HOSTILE}", "status": "met", "claims": ["c1"]}
    return {
        "schema": "rca-record/1",
        "case_id": "case_0123456789ab",
        "question": f"Why does checkout fail? {HOSTILE}",
        "verdict": "probable",
        "root_cause": {
            "entity": pod,
            "category": "resource_exhaustion",
            "mechanism_id": "database.pool_exhausted",
            "statement": f"The pool of checkout is exhausted. {HOSTILE}",
            "mechanism": f"Requests wait for connections. {HOSTILE}",
            "chain": [f"Queries slow down. {HOSTILE}", "Requests time out."],
            "confidence": 0.86,
            "confirm": {"command": f"psql -c 'select 1' {HOSTILE}", "expect": f"many rows {HOSTILE}"},
            "refute": {"command": "", "expect": f"no slow query {HOSTILE}"},
        },
        "hypotheses": [
            {
                "rank": rank,
                "entity": pod,
                "category": "resource_exhaustion",
                "mechanism": "database.pool_exhausted",
                "statement": f"Explanation {rank} {HOSTILE}",
                "confidence": 0.86,
                "status": status,
                "predictions": [prediction, {**prediction, "status": "failed"}, {**prediction, "status": "unobserved"}],
                "claims": ["c1", "c2"],
            }
            for rank, status in ((1, "leading"), (2, "open"))
        ],
        "findings": [
            {"kind": "signature", "severity": "error", "entity": pod, "statement": f"{n} {HOSTILE}", "claims": ["c1"]}
            for n in range(12)
        ],
        "timeline": [
            {
                "when": f"2026-03-02T14:{minute:02d}:00Z",
                "entity": pod,
                "text": f"moment {minute} {HOSTILE}",
                "kind": "event",
                "first_deviation": minute == 3,
                "citations": [],
            }
            for minute in range(8)
        ],
        "claims": [_claim("c1", f"ERROR pool timed out {HOSTILE}", LOG, 12), _claim("c2", "size: 10", "pool.yaml", 3)],
        "ruled_out": [
            {"entity": pod, "mechanism": "m", "statement": f"Not {HOSTILE}", "because": HOSTILE, "claims": ["c2"]}
        ],
        "evidence_needs": [
            {
                "what": f"the queries {HOSTILE}",
                "why": HOSTILE,
                "commands": [HOSTILE],
                "expected": "",
                "distinguishes": [],
                "places": [HOSTILE],
            }
        ],
        "actions": [{"text": f"Roll back. {HOSTILE}", "mechanism": "m"}],
        "coverage": [
            {
                "file": LOG,
                "sha256": "a" * 64,
                "kind": "log",
                "role": "incident",
                "size": 900,
                "lines": 40,
                "first": "2026-03-02T14:00:00Z",
                "last": "2026-03-02T14:07:00Z",
                "problems": [f"It ends early. {HOSTILE}"],
            }
        ],
        "produced_by": {"version": "0.1.0", "driver": "analyst"},
    }


@pytest.fixture
def exhibits() -> Exhibits:
    """An excerpt with the cited line amid its neighbours, a file that is gone, and a chart."""
    lines = (
        ExcerptLine(11, f"INFO before {HOSTILE}", ()),
        ExcerptLine(12, f"ERROR pool timed out {HOSTILE}", ("c1",)),
        ExcerptLine(13, "INFO after", ()),
    )
    points = tuple((1772460000.0 + 60 * minute, 4.0 + (minute > 3) * 6) for minute in range(8))
    return Exhibits(
        (Excerpt(LOG, "a" * 64, lines), Excerpt("pool.yaml", "c" * 64, (), f"pool.yaml is gone. {HOSTILE}")),
        (Chart(f"connections {HOSTILE}", "", points, 1772460240.0, f"rose from 4 to 10 {HOSTILE}"),),
    )
