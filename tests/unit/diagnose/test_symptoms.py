"""Symptoms, in words that a person would use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from faultmaven_core.analysis.checks.registry import Check as KnownCheck
from faultmaven_core.analysis.diagnose.candidates import STRENGTH, candidates
from faultmaven_core.analysis.diagnose.symptoms import Symptoms, sentence
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Clause, Mechanism
from faultmaven_core.analysis.model import Category, Entity, Scalar
from tests.unit.diagnose.conftest import POD, fact

Build = Callable[..., EvidenceGraph]


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("status.phase", "Pending", "pod shop/web-1 is Pending"),
        ("status.conditions.Ready.status", "False", "pod shop/web-1 is not ready"),
        ("status.conditions.Odd.status", "True", "pod shop/web-1 reports Odd=True"),
        ("status.containerStatuses.app.state.waiting.reason", "ErrImagePull", "container app of pod shop/web-1 waits in ErrImagePull"),
        ("status.containerStatuses.*.restartCount", 7, "a container of pod shop/web-1 was restarted 7 times"),
        ("alert.HighLatency", "too slow", "HighLatency: too slow"),
        ("violation.kubernetes.x", "the port is wrong", "the port is wrong"),
        ("signature.disk.full", "no space", "pod shop/web-1: a file system has no space (or no inodes) left"),
        ("signature.of.ours", "oops", "pod shop/web-1: of.ours"),
        ("status.strange", 1, "pod shop/web-1: status.strange is 1"),
    ],
)  # fmt: skip
def test_a_symptom_is_told_in_words(attribute: str, value: Scalar, said: str) -> None:
    """Not as a path and a value."""
    assert sentence(fact(attribute, value)) == said


def test_a_signature_is_told_with_how_often_it_was_seen() -> None:
    """Once needs no number."""
    assert sentence(replace(fact("signature.disk.full"), count=7)).endswith("left (7 times)")


def test_a_deviation_is_told_by_its_own_sentence() -> None:
    """The signal knows from what to what, and since when."""
    assert sentence(fact("anomaly.cpu", "up", text="cpu rose from 20 % to 92 %")) == "cpu rose from 20 % to 92 %"


def test_an_alert_is_history_where_a_monitor_says_all_is_well(graph: Build) -> None:
    """It was true when it was sent."""
    fired = fact("alert.Down", "it is down", state="firing")
    assert Symptoms.of(graph([fired])).active == (fired,)
    assert Symptoms.of(graph([fired, fact("alert_state.Latency", "ok")])).active == ()


def test_an_alert_is_history_where_all_that_deviated_has_come_back(graph: Build) -> None:
    """What was measured since outranks what was sent."""
    fired = fact("alert.Low", "it is low", state="firing")
    back = fact("anomaly.storage", "down", hurts="yes", recovered="yes")
    still = fact("anomaly.latency", "up", hurts="yes", recovered="no")
    assert Symptoms.of(graph([fired, back])).active == ()
    assert Symptoms.of(graph([fired, back, still])).active == (still, fired)


def test_a_deviation_that_is_over_or_harmless_is_no_symptom(graph: Build) -> None:
    """Only what hurts now."""
    states = [("yes", "no"), ("yes", "yes"), ("no", "no")]
    facts = [
        fact(f"anomaly.m{n}", "up", hurts=hurts, recovered=recovered) for n, (hurts, recovered) in enumerate(states)
    ]
    assert [f.attribute for f in Symptoms.of(graph(facts)).active] == ["anomaly.m0"]


def test_what_is_nearest_to_the_question_is_told_first(graph: Build) -> None:
    """Alerts first, then states."""
    near, far = fact("alert.Near", "n", state="firing"), fact("alert.Far", "f", Entity("pod", "a", "x"), state="firing")
    found = Symptoms.of(graph([far, near]))
    assert found.told == "Far: f"
    assert found.nearest({POD: 0}).told == "Near: n"
    assert Symptoms.of(graph()).told == ""


def test_a_broken_check_stands_for_itself_unless_a_mechanism_asks_for_it() -> None:
    """The check's reason becomes the mechanism, its remedy the action."""
    known = KnownCheck("a.b", "title", "because so", "mend it", Category.SECURITY, lambda _: ())
    broken = [
        fact("violation.a.b", "b is wrong"),
        fact("violation.a.b", "b is wrong", Entity("job", "j")),
        fact("possible.a.b"),
    ]
    found = candidates(broken, [], {"a.b": known})
    assert [(m.id, m.subjects, m.strength) for m in found] == [
        ("check.a.b", ("pod",), STRENGTH["possible"]),
        ("check.a.b", ("job", "pod"), STRENGTH["violation"]),
    ]
    assert (found[1].mechanism, found[1].remedies, found[1].category) == (
        ("because so",),
        ("mend it",),
        Category.SECURITY,
    )
    asks = Mechanism("m", Category.UNKNOWN, ("pod",), (Clause("violation.a.b"), Clause("possible.a.b")), ("",), ("",))
    assert candidates(broken, [asks], {"a.b": known}) == []


def test_a_far_thing_that_is_unwell_is_not_the_symptom(graph: Build) -> None:
    """Another team's broken pod explains nothing here."""
    far = fact(
        "anomaly.cpu", "up", Entity("pod", "other", "x"), hurts="yes", recovered="no", text="cpu of other is high"
    )
    assert Symptoms.of(graph([far])).nearest({POD: 0}).told == ""
    assert Symptoms.of(graph([far])).told == "cpu of other is high"
