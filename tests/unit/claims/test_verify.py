"""The verifier rejects what is false, however like the truth it looks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from faultmaven_core.analysis.claims.verify import Status, verify
from faultmaven_core.analysis.record import ClaimView
from faultmaven_core.analysis.redaction.redactor import Redactor

MakeBench = Callable[..., Any]

LOG = """2026-03-01T10:00:05Z ERROR web-1 connection to orders-db refused after 30 s, memory rose above 512 Mi
2026-03-01T10:00:09Z INFO  web-2 is ready
2026-03-01T10:00:11Z ERROR web-1 connection to orders-db refused after 30 s, memory rose above 512 Mi
"""
TRUE = "ERROR web-1 connection to orders-db refused after 30 s, memory rose above 512 Mi"
TWINS = {
    "number": TRUE.replace("512", "513"),
    "unit": TRUE.replace("30 s", "30 hours"),
    "entity": TRUE.replace("orders-db", "web-2"),
    "negation": TRUE.replace("refused", "never refused"),
    "cause and effect": "30 s, memory rose above 512 Mi after ERROR web-1 connection to orders-db refused",
    "direction": TRUE.replace("rose above", "fell below"),
    "time": f"2026-03-01T11:00:05Z {TRUE}",
}


def _observed(desk: Any, first: int = 1) -> ClaimView:
    claim: ClaimView = desk.claim(desk.ledger.observed(desk.fact("message", "", first)))
    return claim


def test_a_true_quote_is_verified_without_its_status_being_asked(bench: MakeBench) -> None:
    """The verifier is given no status at all."""
    desk = bench(LOG)
    assert desk.verdict(_observed(desk), TRUE).status is Status.VERIFIED


@pytest.mark.parametrize("kind", sorted(TWINS))
def test_a_false_twin_of_a_quote_is_rejected(bench: MakeBench, kind: str) -> None:
    """One changed number, unit, name, time, direction, order, or a "never" put in."""
    desk = bench(LOG)
    assert desk.verdict(_observed(desk), TWINS[kind]).status is not Status.VERIFIED


def test_a_quote_cited_to_another_line_is_rejected(bench: MakeBench) -> None:
    """True somewhere is not true where it is cited."""
    desk = bench(LOG)
    assert desk.verdict(_observed(desk, 2), TRUE).status is not Status.VERIFIED


def test_a_true_quote_with_a_wrong_citation_is_rejected(bench: MakeBench) -> None:
    """The right words with the wrong digest prove nothing."""
    desk = bench(LOG)
    claim = _observed(desk)
    forged = replace(claim.citations[0], text_sha256=hashlib.sha256(b"else").hexdigest())
    assert verify(TRUE, [forged], desk.evidence).status is Status.UNVERIFIED
    assert verify(TRUE, [], desk.evidence).status is Status.UNVERIFIED
    assert verify(TRUE, claim.citations, {}).status is Status.UNVERIFIED


def test_an_inferred_claim_is_not_verified_by_standing_in_the_evidence(bench: MakeBench) -> None:
    """Somebody else's "because" in a log proves that it was written, not that it is so."""
    desk = bench(LOG)
    claim = _observed(desk)
    assert verify(TRUE, claim.citations, desk.evidence, kind="inferred").status is Status.UNVERIFIED


def test_a_quote_that_leaves_out_the_denial_is_contradicted(bench: MakeBench) -> None:
    """The cited line says the opposite, and the reason says so."""
    desk = bench("the volume is not attached to node-1\n")
    judgement = desk.verdict(_observed(desk), "attached to node-1")
    assert judgement.status is Status.CONTRADICTED
    assert "opposite" in judgement.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 lines", "3 lines"),
        ("10:00:05", "11:00:05"),
        ("refused", "reset"),
        ("orders-db", "web-2"),
        ("stands on", "does not stand on"),
        ("from", "until"),
    ],
)
def test_a_false_twin_of_a_computed_claim_is_rejected(bench: MakeBench, old: str, new: str) -> None:
    """The sentence is computed again and compared word for word."""
    desk = bench(LOG)
    cited = [desk.ledger.cite(desk.lines(line)) for line in (1, 3)]
    quote, began, ended = "connection to orders-db refused", "2026-03-01T10:00:05Z", "2026-03-01T10:00:11Z"
    text = f'"{quote}" stands on 2 lines from {began} to {ended}'
    assert verify(text, cited, desk.evidence).status is Status.VERIFIED
    assert verify(text.replace(old, new), cited, desk.evidence).status is not Status.VERIFIED


def test_a_wrong_value_is_contradicted_with_the_right_one(bench: MakeBench) -> None:
    """A person sees at once what the evidence says instead."""
    desk = bench("time,cpu\n2026-03-01 10:00,12\n2026-03-01 10:05,97\n")
    claim = desk.claim(
        desk.ledger.computed_change("cpu", "2026-03-01 10:00", "2026-03-01 10:05", [desk.lines(n) for n in (1, 2, 3)])
    )
    judgement = desk.verdict(claim, claim.text.replace("rose", "fell"))
    assert judgement.status is Status.CONTRADICTED
    assert "rose from 12" in judgement.reason


@pytest.mark.parametrize(
    "text",
    [
        '"a" stands on 2 lines from line 1 to line 1',
        '"connection" stands first on line 1, at 2026-03-01T10:00:05Z',
        "cpu rose from 1 at 10:00 to 2 at 10:01",
        '"a" stands 3 s before "b"',
        '"30 s" is above "512 Mi"',
    ],
)
def test_a_computed_sentence_about_lines_that_do_not_give_it_is_rejected(bench: MakeBench, text: str) -> None:
    """The right form proves nothing."""
    desk = bench(LOG)
    first, third = _observed(desk), _observed(desk, 3)
    for cited in (first.citations, (*first.citations, *third.citations), third.citations * 3):
        if text.startswith('"connection" stands first') and cited == first.citations:
            continue  # that one is true
        assert verify(text, cited, desk.evidence).status is not Status.VERIFIED


def test_values_are_not_taken_across_files(bench: MakeBench) -> None:
    """A header of one file does not name the columns of another."""
    rows, other = bench("time,cpu\n1,2\n"), bench("1,2\n3,4\n")
    header, row, last = _observed(rows), _observed(other), _observed(other, 2)
    evidence = {**rows.evidence, **other.evidence}
    cited = (*header.citations, *row.citations, *last.citations)
    assert verify("cpu rose from 2 at 1 to 4 at 3", cited, evidence).status is not Status.VERIFIED


@pytest.mark.parametrize(
    "line",
    [
        "db url postgres://app:Xk82hfs7Qp@orders-db:5432/shop unreachable",
        'config {"api_key": "9f8Hq2Lm4Zx7Rt1Vb6Nc3Kd5", "user": "a@example.org"} rejected',
        "password: hunter2hunter2 rejected for a@example.org",
    ],
)
def test_a_redacted_quote_is_verified_where_the_bytes_hold_a_secret_of_that_kind(bench: MakeBench, line: str) -> None:
    """What is exported can still be checked by whoever has the evidence."""
    desk = bench(f"{line}\nnothing secret here\n")
    masked = Redactor().mask(_observed(desk).text)
    assert "[redacted:" in masked
    assert desk.verdict(_observed(desk), masked).status is Status.VERIFIED
    assert desk.verdict(_observed(desk, 2), masked).status is not Status.VERIFIED


def test_a_placeholder_does_not_stand_for_words_that_are_no_secret(bench: MakeBench) -> None:
    """Otherwise a liar could blank out the "not"."""
    desk = bench("the node is not ready, mail to a@example.org\n")
    claim = _observed(desk)
    assert desk.verdict(claim, "the node is [redacted:secret:1] ready, mail to [redacted:email:1]").status is not (
        Status.VERIFIED
    )
    assert desk.verdict(claim, "ready, mail to [redacted:password:1]").status is not Status.VERIFIED
