"""Whatever an answer tells as a fact stands with its place in the evidence; what is inferred or missing is said to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.model import Category, Verdict
from faultmaven_core.analysis.record import (
    SCHEMA,
    Action,
    CheckView,
    Citation,
    ClaimView,
    EntityView,
    EvidenceNeed,
    Finding,
    HypothesisView,
    PredictionView,
    Producer,
    RcaRecord,
    RootCause,
    RuledOut,
    SourceCoverage,
    TimelineEntry,
)
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.evidence.commands import SearchHit, SearchResult
from faultmaven_core.investigation.answers import cause, moments, searches, subjects
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.commands import Guidance, KnowledgeCitation, SimilarCase
from faultmaven_core.investigation.questions import understood

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEB = EntityView("pod", "web", "shop")
PLACE = re.compile(
    r"\(`[^`]+:\d+(?:-\d+)?`(?:, `[^`]+:\d+(?:-\d+)?`)*\)|\(no line of the evidence says (?:so|otherwise)\)"
)


def place(line: int) -> Citation:
    """A line of the log."""
    return Citation("a.log", "0" * 64, (line, line + 1), (line, line), "0" * 64)


def hypothesis(status: str, number: int, mechanism: str, text: str) -> HypothesisView:
    """An explanation with a prediction of each kind."""
    predictions = tuple(
        PredictionView(f"FACT {text} {kind}", kind, ("c1",) if kind != "unobserved" else ())
        for kind in ("met", "failed")
    )
    open_one = PredictionView(f"INFERRED {text}", "unobserved", ())
    statement = f"FACT {text}"
    return HypothesisView(
        number, WEB, Category.UNKNOWN, mechanism, statement, 0.8, status, (*predictions, open_one), (f"c{number}",)
    )


def record(verdict: Verdict = Verdict.PROBABLE, text: str = "it broke", *, cited: bool = True) -> RcaRecord:
    """A record in which every statement of fact begins with FACT, and every other one with INFERRED."""
    check = CheckView("kubectl get pods", "INFERRED web runs")
    root = RootCause(
        WEB,
        Category.UNKNOWN,
        "dns.failure",
        f"FACT {text}",
        "INFERRED how",
        ("INFERRED step", "Symptom: FACT finding 1", "Evidence: FACT 2"),
        0.8,
        check,
        check,
    )
    known = verdict in {Verdict.PROBABLE, Verdict.CONFIRMED, Verdict.SUSPECTED}
    hypotheses = (
        hypothesis("leading" if known else "open", 1, "dns.failure", text),
        hypothesis("open", 2, "database.lock_contention", "locks " + text),
        hypothesis("consequence", 3, "cache.full", "redis cache " + text),
    )
    claims = tuple(
        ClaimView(f"c{n}", f"FACT {n}", "observed", "verified", (place(n),) if cited else ()) for n in range(1, 9)
    )
    return RcaRecord(
        SCHEMA,
        "case_1",
        "why?",
        verdict,
        root if known else None,
        hypotheses,
        tuple(Finding("symptom", "error", WEB, f"FACT finding {n} {text}", (f"c{n}",)) for n in range(1, 9)),
        tuple(
            TimelineEntry(f"2026-03-01T12:0{n}:00Z", WEB, f"FACT event {n}", "log", n == 2, (place(n),))
            for n in range(5)
        ),
        claims,
        (RuledOut(WEB, "linux.memory", f"INFERRED memory {text}", "FACT because", ("c4",)),),
        (EvidenceNeed("INFERRED whether", "INFERRED why", ("kubectl logs web",), "x", ("dns.failure",), ("there",)),),
        (Action("INFERRED do it", "dns.failure"),),
        (
            SourceCoverage(
                "a.log",
                "0" * 64,
                "log",
                "incident",
                9,
                9,
                "2026-03-01T12:00:00Z",
                "2026-03-01T12:05:00Z",
                ("It is cut.",),
            ),
        ),
        Producer("0", "analyst"),
    )


def known(told: RcaRecord | None) -> Known:
    """A case with this record."""
    case = CaseView("case_1", "t", "why?", "investigating", "", "", "", "", "", "ann", NOON, NOON, None, 1, ())
    return Known(case, told, ())


PASSAGE = KnowledgeCitation("doc_1", "DNS", "dns.md", "global", (), 0, 5, "text", "It is stale.", "it is about dns")
GUIDANCE = Guidance(
    (PASSAGE,), (), (SimilarCase("case_2", "t", "the same", "resolved", ("the same mechanism",)),), 1, 1, ("n",)
)
HITS = SearchResult((SearchHit("ev_1", "a.log", 3, "FACT 12:01 error of checkout"),), truncated=False, problems=())

ANSWERS: dict[str, Callable[[Known], Iterable[str]]] = {
    "summary": cause.summary,
    "why": cause.why,
    "ruled_out": cause.ruled_out,
    "advice": lambda one: cause.advice(one, GUIDANCE),
    "missing": cause.missing,
    "scope": cause.scope,
    "timeline": moments.timeline,
    "moment": lambda one: moments.at_moment(one, ("12:01",), HITS),
    "lines": lambda one: searches.found(one, understood("show errors of checkout"), HITS),
    "the cause": lambda one: subjects.subject(one, ("DNS",)),
    "another": lambda one: subjects.subject(one, ("database",)),
    "a victim": lambda one: subjects.subject(one, ("redis",)),
    "excluded": lambda one: subjects.subject(one, ("memory",)),
    "a thing": lambda one: subjects.subject(one, ("web",)),
    "nothing": lambda one: subjects.subject(one, ("kafka",)),
}


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_sentence_of_fact_has_its_place(name: str, verdict: Verdict) -> None:
    """Whatever is asked, and however sure it is; a fact without a place is said to have none."""
    for cited in (True, False):
        for paragraph in ANSWERS[name](known(record(verdict, cited=cited))):
            for line in paragraph.split("\n"):
                assert "FACT" not in line or PLACE.search(line), line


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_without_a_record_nothing_is_told(name: str) -> None:
    """Not even that something is missing."""
    told = list(ANSWERS[name](known(None)))
    assert name == "lines" or told == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("the cause", "**Yes"),
        ("another", "**Possibly.**"),
        ("a victim", "suffers from it"),
        ("excluded", "**No.** I ruled it out"),
        ("nothing", "does not speak of kafka"),
    ],
)
def test_a_suspicion_is_answered_as_the_record_has_it(name: str, expected: str) -> None:
    """Yes, possibly, no, or that it is not known."""
    assert expected in "\n".join(ANSWERS[name](known(record())))


def test_a_suspicion_that_only_sounds_alike_is_not_agreed_to() -> None:
    """Slow operations are no network, whatever both have in common; what is only suspected is no yes."""
    slow = replace(record(), hypotheses=(hypothesis("leading", 1, "latency.slow_operations", "operations take 20 s"),))
    assert "Yes" not in "\n".join(subjects.subject(known(slow), ("network",)))
    suspected = "\n".join(subjects.subject(known(record(Verdict.SUSPECTED)), ("DNS",)))
    assert "**It may be" in suspected
    assert not subjects.spoken_of(known(slow), ("kafka",))
    assert subjects.spoken_of(known(slow), ("web",))


def test_what_is_not_decided_is_named_as_such() -> None:
    """No cause, no advice for one; what would decide it instead."""
    told = known(record(Verdict.INSUFFICIENT_EVIDENCE))
    summary = "\n".join(cause.summary(told))
    assert "does not decide" in summary
    assert "Still possible" in summary
    assert "kubectl logs web" in summary
    assert "I advise no change" in "\n".join(cause.advice(told, None))
    assert "Nothing abnormal" in "\n".join(cause.summary(known(record(Verdict.HEALTHY))))


def test_a_moment_outside_of_a_file_is_said_to_be() -> None:
    """The file's own end is told."""
    nothing = SearchResult((), truncated=False, problems=("b.log was not read yet.",))
    told = "\n".join(moments.at_moment(known(record()), ("14:05",), nothing))
    assert "`a.log` covers 2026-03-01 12:00:00 to 12:05:00 UTC and does not reach it." in told
    assert "b.log was not read yet" in told
    inside = "\n".join(moments.at_moment(known(record()), ("12:01", "12:03"), nothing))
    assert "does not reach it" not in inside
    assert "FACT event 2" in inside


def test_one_message_that_repeats_hides_no_other() -> None:
    """Each message once before any again."""
    hits = [SearchHit("ev_1", "a.log", n, f"error number {n}") for n in range(1, 50)]
    hits.append(SearchHit("ev_1", "a.log", 60, "error of another kind"))
    told = "\n".join(searches.found(known(record()), understood("show errors"), SearchResult(tuple(hits), True, ())))
    assert "another kind" in told
    assert told.startswith("At least 50 lines")


@given(st.text(max_size=200))
def test_no_text_of_evidence_breaks_out_of_its_sentence(text: str) -> None:
    """Whatever it is: one line stays one line, and no markup begins."""
    told: dict[str, Any] = {name: list(answer(known(record(text=text)))) for name, answer in ANSWERS.items()}
    for paragraphs in told.values():
        for paragraph in paragraphs:
            for line in paragraph.split("\n"):
                assert not re.search(
                    r"(?<!\\)<\w|(?<!\\)\]\(|(?<!\\)!\[", re.sub(r"`[^`]*`", "", line.replace("\\`", ""))
                )
                assert "FACT" not in line or PLACE.search(line), line
