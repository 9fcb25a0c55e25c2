"""What the engine writes down, and that the verifier finds the same in the bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from faultmaven_core.analysis.claims.excerpt import MAX_QUOTE
from faultmaven_core.analysis.claims.verify import Status

MakeBench = Callable[..., Any]

CSV = "timestamp,cpu,memory usage\n2026-03-01 10:00,12.50,300\n2026-03-01 10:05,97,200\n"
LONG_CSV = "time,pod,metric,value\n1700000000,web,http_errors,3\n1700000060,web,http_errors,41\n"
CLOUDWATCH = json.dumps(
    {
        "label": "CPUUtilization",
        "unit": "Percent",
        "timestamps": ["2026-03-27T20:00:00Z", "2026-03-27T20:01:00Z"],
        "values": [21.0, 93.5],
    },
    indent=1,
)
PROMETHEUS = '{"metric": {"__name__": "up"}, "values": [[1700000000, "1"], [1700000060, "0"]]}'


def test_an_observed_claim_quotes_the_lines_of_its_fact_and_is_verified(bench: MakeBench) -> None:
    """Layout goes, words stay; the same quote twice is one claim."""
    desk = bench("    State:          Waiting\n      Reason:       CrashLoopBackOff\n")
    name = desk.ledger.observed(desk.fact("status.reason", "CrashLoopBackOff", 2))
    assert desk.ledger.observed(desk.fact("status.other", "CrashLoopBackOff", 2)) == name
    claim = desk.claim(name)
    assert (claim.text, claim.kind, claim.status) == ("Reason: CrashLoopBackOff", "observed", "verified")
    assert claim.citations[0].lines == (2, 2)
    assert desk.verdict(claim).status is Status.VERIFIED


def test_of_a_long_line_only_the_part_that_holds_the_value_is_quoted_and_cited(bench: MakeBench) -> None:
    """Nobody reads a line of 20 kB; the citation shrinks with the quote and still is true."""
    filler = [{"name": f"container-{i}", "ready": True} for i in range(400)]
    desk = bench(json.dumps({"items": filler, "state": {"reason": "OOMKilled", "exitCode": 137}, "more": filler}))
    claim = desk.claim(desk.ledger.observed(desk.fact("status.state.reason", "OOMKilled")))
    assert claim.text == '"reason": "OOMKilled"'
    assert claim.citations[0].bytes[1] - claim.citations[0].bytes[0] == len(claim.text)
    assert desk.verdict(claim).status is Status.VERIFIED


@pytest.mark.parametrize("value", ["", "not in there", "é" * 3000])
def test_a_long_line_without_the_value_still_gets_a_true_quote_of_its_head(bench: MakeBench, value: str) -> None:
    """A reader's mistake must not become a false claim."""
    desk = bench("  Wörter und " + "mehr Wörter, " * 900)
    claim = desk.claim(desk.ledger.observed(desk.fact("message", value)))
    assert 0 < len(claim.text) <= MAX_QUOTE
    assert (claim.status, desk.verdict(claim).status) == ("verified", Status.VERIFIED)


def test_a_long_line_that_is_not_text_is_cited_whole(bench: MakeBench) -> None:
    """Where bytes and characters do not match up, a narrower citation could point beside the quote."""
    desk = bench(b"head \xff\xfe " + b"word " * 2000 + b"reason=OOMKilled tail")
    claim = desk.claim(desk.ledger.observed(desk.fact("reason", "OOMKilled")))
    assert claim.text == "reason=OOMKilled"
    assert claim.citations[0].bytes == (0, len(desk.source.data))
    assert desk.verdict(claim).status is Status.VERIFIED


def test_a_message_escaped_inside_of_a_long_line_is_found(bench: MakeBench) -> None:
    """A message in JSON in a JSON log line has its quotation marks escaped twice."""
    message = 'exec: "wge": not found'
    line = json.dumps({"pad": "x " * 400, "log": json.dumps({"message": message})})
    desk = bench(line)
    claim = desk.claim(desk.ledger.quote(desk.lines(1), message))
    assert "wge" in claim.text
    assert desk.verdict(claim).status is Status.VERIFIED


@pytest.mark.parametrize(
    ("text", "spans", "metric", "times", "said"),
    [
        (CSV, (1, 2, 3), "cpu", ("2026-03-01 10:00", "2026-03-01 10:05"), "rose from 12.5 at {0} to 97 at {1}"),
        (
            CSV,
            (1, 2, 3),
            "memory usage",
            ("2026-03-01 10:00", "2026-03-01 10:05"),
            "fell from 300 at {0} to 200 at {1}",
        ),
        (LONG_CSV, (1, 2, 3), "http_errors", ("1700000000", "1700000060"), "rose from 3 at {0} to 41 at {1}"),
        (PROMETHEUS, (1,), "up", ("1700000000", "1700000060"), "fell from 1 at {0} to 0 at {1}"),
        (
            CLOUDWATCH,
            (1, 12),
            "CPUUtilization (Percent)",
            ("2026-03-27T20:00:00Z", "2026-03-27T20:01:00Z"),
            "rose from 21 at {0} to 93.5 at {1}",
        ),
    ],
)
def test_a_change_of_a_metric_is_read_again_from_rows_or_json(
    bench: MakeBench, text: str, spans: tuple[int, ...], metric: str, times: tuple[str, str], said: str
) -> None:
    """Wide and long CSV, parallel lists and pairs: the forms in which metrics come."""
    desk = bench(text)
    cited = [desk.lines(1, 12)] if text is CLOUDWATCH else [desk.lines(at) for at in spans]
    claim = desk.claim(desk.ledger.computed_change(metric, *times, cited))
    assert claim.text == f"{metric} {said.format(*times)}"
    assert (claim.status, desk.verdict(claim).status) == ("verified", Status.VERIFIED)
    assert desk.ledger.computed_change("another", *times, cited) is None
    assert desk.ledger.computed_change(metric, times[0], times[0], cited) is None
    assert desk.ledger.computed_change(metric, times[0], "never", cited) is None
