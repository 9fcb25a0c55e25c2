"""A metric's change is told as a sentence, from the object in which its points stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from faultmaven_core.analysis.claims.verify import Status
from faultmaven_core.analysis.model import Entity, Fact, Mode, Span

MakeBench = Callable[..., Any]

ANSWER = json.dumps(
    {
        "results": [
            {
                "label": name,
                "dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders"}],
                "unit": unit,
                "timestamps": ["2026-03-27T20:00:00Z", "2026-03-27T20:01:00Z", "2026-03-27T20:02:00Z"],
                "values": values,
            }
            for name, unit, values in (("Connections", "Count", [9, 480, 470]), ("CPU", "Percent", [80.5, 20, 3]))
        ]
    },
    indent=1,
)


def _fact(span: Span, metric: str, direction: str, entity: str = "orders") -> Fact:
    return Fact(Entity("database", entity), "anomaly.x", direction, Mode.METRIC, (span,), params=(("metric", metric),))


def _point(desk: Any, text: str) -> Span:
    lines = desk.source.data.decode().split("\n")
    at = next(n for n, line in enumerate(lines, 1) if line.strip().rstrip(",") == text)
    span: Span = desk.lines(at)
    return span


@pytest.mark.parametrize(
    ("metric", "point", "direction", "said"),
    [
        (
            "Connections",
            "480",
            "up",
            "Connections of orders rose from 9 at 2026-03-27T20:00:00Z to 480 at 2026-03-27T20:01:00Z",
        ),
        (
            "CPU",
            "20",
            "down",
            "CPU (Percent) of orders fell from 80.5 at 2026-03-27T20:00:00Z to 3 at 2026-03-27T20:02:00Z",
        ),
    ],
)
def test_the_change_is_told_with_the_metric_its_entity_and_its_unit(
    bench: MakeBench, metric: str, point: str, direction: str, said: str
) -> None:
    """And cited to that metric's object alone, so that the verifier can read it again."""
    desk = bench(ANSWER)
    claim = desk.claim(desk.ledger.observed(_fact(_point(desk, point), metric, direction)))
    assert (claim.text, claim.kind, claim.status) == (said, "computed", "verified")
    assert desk.verdict(claim).status is Status.VERIFIED
    for old, new in (
        ("orders", "users"),
        ("rose", "fell"),
        ("fell", "rose"),
        ("480", "481"),
        ("80.5", "8.05"),
        ("20:00", "21:00"),
    ):
        if old in claim.text:
            assert desk.verdict(claim, claim.text.replace(old, new)).status is not Status.VERIFIED


def test_an_entity_that_the_object_does_not_name_is_left_out(bench: MakeBench) -> None:
    """What cannot be read again is not said."""
    desk = bench(ANSWER)
    claim = desk.claim(desk.ledger.observed(_fact(_point(desk, "480"), "Connections", "up", "elsewhere")))
    assert claim.text.startswith("Connections rose from 9")
    assert desk.verdict(claim).status is Status.VERIFIED


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("time,cpu\n1,2\n", "up"),
        ('{"a": 1}', "up"),
        ("{" * 60, "up"),
        ('{"label": "flat", "timestamps": ["a", "b"], "values": [5, 5]}', "up"),
        ('{"label": "empty", "timestamps": ["a"], "values": [null]}', "down"),
        ('{"timestamps": ["2026-03-27T20:00:00Z", "b"], "values": [1, 5]}', "up"),
    ],
)
def test_without_such_an_object_the_line_is_quoted(bench: MakeBench, text: str, direction: str) -> None:
    """Rows, other JSON, hostile braces, a flat or nameless metric."""
    desk = bench(text)
    claim = desk.claim(desk.ledger.observed(_fact(desk.lines(1), "flat", direction)))
    assert claim.kind in ("observed", "computed")
    assert claim.status in ("verified", "unverified")
    assert (claim.status == "verified") == (desk.verdict(claim).status is Status.VERIFIED)
    assert claim.kind == "observed"
