"""Log records, events and whatever else stands in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from faultmaven_core.analysis.extract import records_json
from faultmaven_core.analysis.extract.tools import Findings

Read = Callable[[str], Findings]


def record(message: str, pod: str, **more: object) -> dict[str, object]:
    return {
        "timestamp": "2026-01-01T00:00:00Z",
        "message": message,
        "status": "error",
        "service": "web",
        "host": pod,
        **more,
    }


def test_records_belong_to_the_pod_that_wrote_them_and_equal_ones_are_counted(read: Read) -> None:
    """Numbers differ, the message is the same; the pod is related to its service."""
    pod = "web-7f9dd8b6c4-x7gr9"
    out = read(json.dumps({"logs": [record(f"failed after {n} ms", pod) for n in (3, 44, 55)]}, indent=1))
    facts = [f for f in out.facts if f.attribute == "log.error"]
    assert [(str(f.entity), f.value, f.count, f.when) for f in facts] == [
        (f"pod {pod}", "failed after 3 ms", 3, 1767225600.0)
    ]
    assert [(r.kind, str(r.a), str(r.b)) for r in out.relations] == [("selects", "service web", f"pod {pod}")]


def test_what_several_replicas_complain_of_is_their_services_trouble(read: Read) -> None:
    """One cause for all of them, not one per replica; what one says calmly stays its own."""
    first, second = "web-7f9dd8b6c4-x7gr9", "web-7f9dd8b6c4-k2m4p"
    out = read(
        json.dumps(
            {"logs": [record("no route", first), record("no answer", second), record("ok", first, status="info")]}
        )
    )
    assert [(str(f.entity), f.attribute) for f in out.facts if f.attribute.startswith("log.")] == [
        ("service web", "log.error"),
        ("service web", "log.error"),
        (f"pod {first}", "log.info"),
    ]


def test_events_are_named_after_their_category_and_signatures_see_their_text(read: Read) -> None:
    """As managed databases report them."""
    event = {
        "date": "2026-01-01T00:00:00Z",
        "message": "The instance ran out of storage space.",
        "source_identifier": "orders",
        "source_type": "db-instance",
        "event_categories": ["low storage", "failure"],
    }
    out = read(json.dumps({"events": [event]}))
    assert [(str(f.entity), f.attribute) for f in out.facts] == [
        ("database orders", "event.low_storage"),
        ("database orders", "signature.database.storage_full"),
    ]


def test_a_log_inside_a_string_is_read_line_by_line(read: Read) -> None:
    """With times, levels and exceptions, all at the line of the string."""
    text = (
        "2026-01-01T00:00:05Z ERROR cannot pay\nTraceback (most recent call last):\n"
        '  File "/app/pay.py", line 7, in pay\n    raise Broke\nBroke: no money\n2026-01-01T00:00:09Z INFO bye'
    )
    out = read(json.dumps({"pod_name": "pay-0", "namespace": "shop", "logs": text}, indent=1))
    by_attribute = {f.attribute: f for f in out.facts}
    assert by_attribute["log.error"].when == 1767225605.0
    assert str(by_attribute["error.exception"].entity) == "pod shop/pay-0"
    assert by_attribute["error.exception"].value == "Broke: no money"
    assert by_attribute["error.exception"].spans[0].first_line == 4


def test_any_scalar_is_a_fact_under_its_path(read: Read) -> None:
    """Lists by name, else by index; empty ones say nothing."""
    out = read(json.dumps({"service": "web", "limits": [{"name": "cpu", "value": 2}, 7], "off": False, "none": None}))
    assert [(str(f.entity), f.attribute, f.value) for f in out.facts] == [
        ("service web", "data.service", "web"),
        ("service web", "data.limits.cpu.name", "cpu"),
        ("service web", "data.limits.cpu.value", 2),
        ("service web", "data.limits.1", 7),
        ("service web", "data.off", False),
    ]


def test_a_document_with_too_much_in_it_is_cut_and_says_so(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded work, stated."""
    monkeypatch.setattr(records_json, "MAX_LEAVES", 3)
    monkeypatch.setattr(records_json, "MAX_GROUPS", 2)
    logs = [record(f"failed {name}", "web-0") for name in ("a", "b", "c")]
    out = read(json.dumps({"data": list("abcdef"), "logs": logs}))
    assert any("of 6 values only the first 3" in problem for problem in out.problems)
    assert any("1 records beyond 2" in problem for problem in out.problems)


def test_broken_json_is_read_as_lines_and_the_line_is_named(read: Read) -> None:
    """A truncated file still tells what its lines tell."""
    out = read('{\n "message": "dial tcp: connection refused",\n "x": [1, 2\n')
    assert any("line 3" in problem for problem in out.problems)
    assert any(f.attribute == "signature.connection.refused" for f in out.facts)
