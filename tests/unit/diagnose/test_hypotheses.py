"""Which mechanisms bind, what rules them out, and which leads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from faultmaven_core.analysis.diagnose.hypotheses import (
    HEALTHY_NOW,
    PER_STEP,
    POSSIBLE,
    UNLINKED,
    Concern,
    Standing,
    bind,
)
from faultmaven_core.analysis.diagnose.query import Outcome, judge
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.load import load
from faultmaven_core.analysis.mechanisms.mechanism import Check, Clause, Mechanism, Prediction
from faultmaven_core.analysis.model import Category, Entity, Mode, Polarity
from faultmaven_core.shared.errors import InvalidInputError
from tests.unit.diagnose.conftest import POD, fact

Build = Callable[..., EvidenceGraph]
BROKEN = Mechanism(
    "a.broken", Category.CODE_DEFECT, ("pod",), (Clause("signature.broken"),), ("{subject} broke",), ("so",)
)


def test_a_mechanism_binds_to_the_entity_whose_facts_pull_its_trigger(graph: Build) -> None:
    """No trigger, no hypothesis."""
    found = bind(
        [BROKEN], graph([fact("signature.broken"), fact("signature.broken", entity=Entity("node", "n1"))]), Concern([])
    )
    assert [(h.entity, h.score) for h in found] == [(POD, 1.0)]


def test_a_candidate_without_a_path_to_what_is_asked_about_counts_little(graph: Build) -> None:
    """An error text is often everywhere; a relation links it to the symptom."""
    other = Entity("pod", "far-1", "shop")
    facts = [fact("signature.broken"), fact("signature.broken", entity=other)]
    ranked = bind([BROKEN], graph(facts), Concern([POD]))
    assert [(h.entity, h.score) for h in ranked] == [(POD, 1.0), (other, UNLINKED)]
    linked = bind([BROKEN], graph(facts, [("calls", POD, other)]), Concern([POD]))
    assert linked[1].score > UNLINKED


def test_a_candidate_in_a_thing_that_is_well_counts_little_unless_something_near_is_unwell(graph: Build) -> None:
    """A message of last week in the log of a pod that serves now."""
    node = Entity("node", "n1")
    known = graph([fact("signature.broken")], [("runs_on", POD, node)])
    assert bind([BROKEN], known, Concern([node], [], [POD]))[0].score == PER_STEP * HEALTHY_NOW
    assert bind([BROKEN], known, Concern([node], [node], [POD]))[0].score == PER_STEP
    assert bind([BROKEN], known, Concern([POD], [], [POD]))[0].score == 1.0


def test_more_failed_than_met_predictions_rule_a_hypothesis_out(graph: Build) -> None:
    """The failed predictions are the ruled-out list."""
    doubtful = replace(BROKEN, predictions=(Prediction("it restarted", Clause("status.restarts", above=0)),))
    found = bind([doubtful], graph([fact("signature.broken"), fact("status.restarts", 0)]), Concern([]))
    assert found[0].standing is Standing.RULED_OUT
    assert found[0].weight(Outcome.FAILED) == 0.5


def test_evidence_that_the_condition_is_over_makes_it_no_cause(graph: Build) -> None:
    """History never outranks current state."""
    past = replace(BROKEN, resolved_by=(Clause("event.recovered"),))
    found = bind([past], graph([fact("signature.broken"), fact("event.recovered")]), Concern([]))
    assert found[0].standing is Standing.RESOLVED
    assert [f.attribute for f in found[0].over] == ["event.recovered"]


def test_a_general_mechanism_yields_to_a_deeper_cause_nearby(graph: Build) -> None:
    """The deeper one leads even where the general one has more points."""
    general = replace(
        BROKEN, id="b.general", triggers=(Clause("status.restarts", above=0),), strength=3.0, yields_to=("a.*",)
    )
    found = bind([general, BROKEN], graph([fact("signature.broken"), fact("status.restarts", 4)]), Concern([POD]))
    assert [(h.mechanism.id, h.standing) for h in found] == [
        ("a.broken", Standing.OPEN),
        ("b.general", Standing.CONSEQUENCE),
    ]


def test_what_is_only_possible_counts_for_less_than_what_is_known(graph: Build) -> None:
    """A list that nobody collected shows nothing missing."""
    unsure = replace(BROKEN, triggers=(Clause("possible.missing"), Clause("violation.missing")))
    assert bind([unsure], graph([fact("possible.missing")]), Concern([POD]))[0].score == POSSIBLE
    known = graph([fact("possible.missing"), fact("violation.missing")])
    assert bind([unsure], known, Concern([POD]))[0].score == 1.0


def test_of_two_that_yield_to_each_other_the_better_one_stands(graph: Build) -> None:
    """Each would explain the other away, and nothing would be left to say."""
    other = replace(BROKEN, id="b.other", strength=2.0, yields_to=("a.*",))
    found = bind([replace(BROKEN, yields_to=("b.*",)), other], graph([fact("signature.broken")]), Concern([POD]))
    assert [(h.mechanism.id, h.standing) for h in found] == [
        ("b.other", Standing.OPEN),
        ("a.broken", Standing.CONSEQUENCE),
    ]


def test_pods_of_one_owner_make_one_hypothesis(graph: Build) -> None:
    """Three replicas that fail alike are one cause, not three."""
    owner, twin = Entity("replicaset", "web", "shop"), Entity("pod", "web-2", "shop")
    facts = [fact("signature.broken"), fact("signature.broken", entity=twin)]
    found = bind([BROKEN], graph(facts, [("owns", owner, POD), ("owns", owner, twin)]), Concern([owner]))
    assert [h.entity for h in found] == [POD]


@pytest.mark.parametrize(
    ("clause", "value", "passes"),
    [
        (Clause("x", equals=(1, 2)), 2, True),
        (Clause("x", equals=(1, 2)), 3, False),
        (Clause("x", above=3), 4, True),
        (Clause("x", above=3), 3, False),
        (Clause("x", above=3), "many", False),
        (Clause("x", below=3), 2.5, True),
        (Clause("x", below=3), True, False),
        (Clause("x", matches=re.compile("oo+")), "foo", True),
        (Clause("x", matches=re.compile("oo+")), "fo", False),
    ],
)
def test_a_clause_tests_values_by_kind(clause: Clause, value: str | float, *, passes: bool) -> None:
    """Numbers compare as numbers; a truth value is no number."""
    assert clause.passes(value) is passes


def test_silence_about_messages_proves_nothing(graph: Build) -> None:
    """The line may stand in a file that nobody collected."""
    prediction = Prediction("memory ran out", Clause("signature.oom"))
    assert judge(prediction, POD, graph([fact("status.phase", "Running")])).outcome is Outcome.UNOBSERVED


def test_an_absent_message_counts_where_the_entity_has_spoken_otherwise(graph: Build) -> None:
    """A log that holds other lines and not this one is evidence."""
    prediction = Prediction("memory did not run out", Clause("signature.oom"), absent=True)
    assert judge(prediction, POD, graph([fact("signature.dns", mode=Mode.LOG)])).outcome is Outcome.MET
    assert judge(prediction, POD, graph([fact("status.phase", "Running")])).outcome is Outcome.UNOBSERVED
    assert judge(prediction, POD, graph([fact("signature.oom")])).outcome is Outcome.FAILED
    restarts = Prediction("it was never restarted", Clause("status.restarts", above=0), absent=True)
    assert judge(restarts, POD, graph([fact("status.restarts", 0)])).outcome is Outcome.MET
    assert judge(restarts, POD, graph([fact("signature.dns", mode=Mode.LOG)])).outcome is Outcome.UNOBSERVED


def test_scopes_reach_the_subject_what_is_near_and_everything(graph: Build) -> None:
    """Near is at most two relations away."""
    claim, volume, disk = (Entity(kind, "x") for kind in ("persistentvolumeclaim", "persistentvolume", "disk"))
    relations = [("mounts", POD, claim), ("binds", claim, volume), ("on", volume, disk)]
    known = graph([fact("event.failed", entity=disk), fact("event.bound", entity=volume)], relations)

    def outcome(attribute: str, scope: str) -> Outcome:
        return judge(Prediction("", Clause(attribute, scope)), POD, known).outcome

    assert outcome("event.bound", "subject") is Outcome.UNOBSERVED
    assert outcome("event.bound", "near") is Outcome.MET
    assert outcome("event.failed", "near") is Outcome.UNOBSERVED
    assert outcome("event.failed", "any") is Outcome.MET


def test_a_fact_that_something_is_not_there_answers_no_clause(graph: Build) -> None:
    """Polarity is part of a fact."""
    gone = replace(fact("status.ready", "yes"), polarity=Polarity.ABSENT)
    assert judge(Prediction("", Clause("status.ready")), POD, graph([gone])).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("colour = 'red'", "unknown key 'colour'"),
        ("triggers = [{ signature = 'a', event = 'b' }]", "exactly one"),
        ("triggers = [{ signature = 'a', scope = 'moon' }]", "scope 'moon'"),
        ("category = 'bad luck'", "bad luck"),
        ("triggers = [{ signature = 'a', matches = '(' }]", "unterminated"),
        ("predictions = [{ signature = 'a' }]", "text"),
    ],
)
def test_a_mechanism_with_a_mistake_is_refused_by_name(wrong: str, said: str) -> None:
    """Knowledge that is silently ignored is worse than none."""
    parts = {
        "id": "'mine'", "category": "'unknown'", "subjects": "['pod']", "triggers": "[{ signature = 'a' }]",
        "statement": "'s'", "mechanism": "'m'", "confirm": "{}", "refute": "{}",
    }  # fmt: skip
    key, _, value = wrong.partition(" = ")
    text = "[[mechanism]]\n" + "\n".join(f"{k} = {v}" for k, v in {**parts, key: value}.items())
    with pytest.raises(InvalidInputError, match=r"own\.toml: mechanism mine") as caught:
        load(text, "own.toml")
    assert said in str(caught.value)


def test_a_mechanism_without_texts_for_confirming_is_refused() -> None:
    """Every cause names one command that would confirm it."""
    with pytest.raises(InvalidInputError, match="confirm"):
        load(
            "[[mechanism]]\nid='x'\ncategory='unknown'\nsubjects=[]\ntriggers=[]\nstatement=''\nmechanism=''",
            "own.toml",
        )


def test_checks_default_to_nothing() -> None:
    """A refutation often is an observation without a command."""
    assert Check() == Check((), "")
