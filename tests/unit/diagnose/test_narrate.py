"""Texts of mechanisms, filled from the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis
from faultmaven_core.analysis.diagnose.narrate import QUOTE_WORDS, Narrator, quotes
from faultmaven_core.analysis.diagnose.needs import needs
from faultmaven_core.analysis.diagnose.query import Answer, Outcome
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Clause, Mechanism, Prediction
from faultmaven_core.analysis.model import Category, Entity, Fact
from tests.unit.diagnose.conftest import POD, fact

Build = Callable[..., EvidenceGraph]
SLOW = Mechanism("a.slow", Category.UNKNOWN, ("pod",), (), ("{subject} is slow",), ("so",))


def hypothesis(
    *triggers: Fact, mechanism: Mechanism = SLOW, entity: Entity = POD, met: tuple[Fact, ...] = ()
) -> Hypothesis:
    """A hypothesis with these triggers and one prediction that these facts met."""
    answers = ((Prediction("p", Clause("x")), Answer(Outcome.MET, met)),) if met else ()
    return Hypothesis(mechanism, entity, triggers, answers, 1.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{subject} in {namespace}", "Pod web-1 in shop"),
        ("{workload} takes {range:duration} s", "web takes 1.5 to 12 s"),
        ("{fact:status.*.restartCount} restarts of {name}, a {kind}", "7 restarts of web-1, a pod"),
        ("it waits in {state}: {quote}", "it waits in CrashLoopBackOff: took 12.04 s"),
        ("{{literal}} {host}", "{literal} db"),
        ("{unknown} slot", ""),
        ("{fact:status.none} slot", ""),
        ("{range:none} slot", ""),
    ],
)
def test_slots_are_filled_from_the_entity_and_the_facts(graph: Build, text: str, told: str) -> None:
    """A text with an unbound slot is not told at all."""
    known = graph(
        [
            fact("status.app.restartCount", 7),
            fact("status.containerStatuses.app.state.waiting.reason", "CrashLoopBackOff"),
        ],
        [("owns", Entity("deployment", "web", "shop"), POD)],
    )
    triggers = [
        fact("signature.slow", "took 12.04 s", duration="12.04", host="db"),
        fact("signature.slow", "took 1.5 s", duration="1.5", host="cache"),
    ]
    assert Narrator(hypothesis(*triggers), known).tell([text]) == told


def test_of_a_json_line_the_message_is_quoted(graph: Build) -> None:
    """People read the message; the claim holds the whole line."""
    line = fact("log.error", '{"level": "error", "msg": "open \\"a.db\\": read-only file system", "id": 7}')
    assert Narrator(hypothesis(line), graph([line])).tell(["{quote}"]) == 'open "a.db": read-only file system'
    bare = fact("log.error", '{"level": "error"}')
    assert Narrator(hypothesis(bare), graph([bare])).tell(["{quote}"]) == '{"level": "error"}'


def test_a_log_is_named_in_commands_so_that_no_name_of_a_file_runs(graph: Build) -> None:
    """Names of files come from outside; only a source has one."""
    source = Entity("source", "logs/a b;reboot.log")
    assert Narrator(hypothesis(entity=source), graph()).command(["tail {log}"]) == "tail 'a b;reboot.log'"
    assert Narrator(hypothesis(), graph()).command(["tail {log}"]) == ""


def test_the_first_text_whose_slots_are_bound_is_told(graph: Build) -> None:
    """The richest wording first, a plain one last."""
    narrator = Narrator(hypothesis(fact("signature.slow")), graph())
    assert narrator.tell(["{host} is slow", "{name} is slow", "slow"]) == "web-1 is slow"
    assert narrator.each(["{host} is slow", "{name} is slow", "slow"]) == ("web-1 is slow", "slow")


def test_a_log_that_nobody_is_known_to_have_written_is_named_by_its_file(graph: Build) -> None:
    """A file is no application."""
    source = Entity("source", "app.log")
    assert Narrator(hypothesis(entity=source), graph()).tell(["{subject}"]) == "The application that wrote app.log"
    assert Narrator(hypothesis(entity=Entity("workload", "web")), graph()).tell(["{subject}"]) == "web"


def test_the_chain_quotes_each_kind_of_message_once(graph: Build) -> None:
    """Numbers aside, the same message is the same."""
    same = [fact("event.BackOff", f"back-off {n}s restarting", line=n) for n in (1, 2)]
    met = (replace(fact("event.Killing", "container killed now"), count=6), fact("status.ready", value=False))
    told = Narrator(
        hypothesis(*same, mechanism=replace(SLOW, chain=("{name} waits", "{host} waits")), met=met), graph()
    ).chain()
    assert told == ("web-1 waits", "Evidence: back-off 1s restarting", "Evidence: container killed now (6 times)")


def test_a_long_quote_is_cut_by_words() -> None:
    """The claim holds all of it."""
    assert quotes([fact("event.x", "word " * 50)]) == ["Evidence: " + "word " * QUOTE_WORDS + "…"]


def test_needs_are_the_unobserved_predictions_that_tell_the_first_two_apart_first(graph: Build) -> None:
    """What both expect decides nothing between them."""
    shared = Prediction("it restarts", Clause("status.restarts"), weight=2.0)
    own = Prediction("memory rose", Clause("anomaly.memory"), weight=0.1)
    seen = Prediction("it runs", Clause("status.phase"))
    unobserved = Answer(Outcome.UNOBSERVED)
    first = replace(
        hypothesis(
            mechanism=replace(
                SLOW, statement=("{subject} is slow.",), needs=("kubectl -n {namespace} top pod {name}", "ssh {host}")
            )
        ),
        answers=((shared, unobserved), (own, unobserved), (seen, Answer(Outcome.MET))),
    )
    second = replace(
        hypothesis(mechanism=replace(SLOW, id="b.slow", statement=("other",))), answers=((shared, unobserved),)
    )
    found = needs([first, second], graph())
    assert [need.what for need in found] == ["whether memory rose", "whether it restarts"]
    assert found[0].commands == ("kubectl -n shop top pod web-1",)
    assert found[0].why == "if so, it would support: Pod web-1 is slow, and speak against: other"
    assert found[0].distinguishes == ("a.slow", "b.slow")
    assert needs([], graph()) == ()


@pytest.mark.parametrize(
    "name", ["web; rm -rf ~", "$(id)", "`id`", "a'b", 'a"b', "--all", "a b", "a|b", "a\nb", "w\u0435b"]
)
def test_a_hostile_name_never_stands_in_a_command(graph: Build, name: str) -> None:
    """Somebody pastes the command into a shell; a command without the name, or none, is what is told then."""
    narrator = Narrator(hypothesis(fact("signature.slow", image=name), entity=Entity("pod", name, name)), graph())
    assert (
        narrator.command(["kubectl -n {namespace} get pod {name}", "grep ':{image} '", "kubectl get pods"])
        == "kubectl get pods"
    )
    assert narrator.command(["kubectl get pod {name}"]) == ""


def test_the_names_that_things_have_stand_in_commands(graph: Build) -> None:
    """Images, hosts with ports, paths and accounts are typed as they are."""
    account = "system:serviceaccount:ops:reader"
    trigger = fact("signature.slow", image="reg.example.com:5000/a/b@sha256:0f", path="/var/lib/x_1", account=account)
    narrator = Narrator(hypothesis(trigger), graph())
    told = narrator.command(["inspect {image} {path} {account} -n {namespace} {name}"])
    assert told == f"inspect reg.example.com:5000/a/b@sha256:0f /var/lib/x_1 {account} -n shop web-1"


@pytest.mark.parametrize(
    ("name", "typed"),
    [("a/app.log", "app.log"), ("a/-rf", "./-rf"), ("b;id.log", "'b;id.log'"), ("it's.log", "'it'\"'\"'s.log'")],
)
def test_a_log_s_name_is_one_word_to_a_shell(graph: Build, name: str, typed: str) -> None:
    """And to no program an option."""
    assert Narrator(hypothesis(entity=Entity("source", name)), graph()).command(["tail {log}"]) == f"tail {typed}"
