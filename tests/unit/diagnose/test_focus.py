"""What a question is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faultmaven_core.analysis.diagnose.focus import asked, focus
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.model import Entity, Fact, Mode

Build = Callable[..., EvidenceGraph]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is wrong with the web-server pod in namespace shop-1?", [Entity("pod", "web-server", "shop-1")]),
        ("Why does deployment cart-api answer slowly?", [Entity("deployment", "cart-api")]),
        ("Why does the pod keep restarting?", []),
        ("What's wrong with the `orders` kafka topic?", [Entity("queue", "orders")]),
        (
            'Alert. Subject: {"name": "etl", "kind": "Job", "namespace": "batch"}. Find it.',
            [Entity("job", "etl", "batch")],
        ),
        ("Is {broken json} a pod?", []),
        ("", []),
    ],
)
def test_a_question_names_things_by_what_they_are(question: str, expected: list[Entity]) -> None:
    """Prose beside a noun is no name; quotes, dashes and alert subjects are."""
    assert asked(question) == expected


def _status(entity: Entity) -> Fact:
    return Fact(entity, "status.phase", "Running", Mode.STATUS, ())


def test_a_workload_named_as_a_pod_is_found_as_the_workload(graph: Build) -> None:
    """People say pod and mean the application."""
    deployment = Entity("deployment", "web-server", "shop")
    known = graph([_status(deployment), _status(Entity("service", "web-server", "shop"))])
    assert focus("What is wrong with the web-server pod?", known) == [
        deployment,
        Entity("service", "web-server", "shop"),
    ]


def test_an_application_that_only_its_pods_show_is_found_as_its_pods(graph: Build) -> None:
    """Their names start with the application's."""
    pods = [Entity("pod", f"web-server-6f5c-{n}", "shop") for n in ("aaaaa", "bbbbb")]
    assert focus("What is wrong with the web-server pod?", graph([_status(pod) for pod in pods])) == pods


def test_of_nested_names_the_longest_counts(graph: Build) -> None:
    """A pod's full name contains its deployment's."""
    deployment, pod = Entity("deployment", "web-api", "shop"), Entity("pod", "web-api-6f5c-aaaaa", "shop")
    assert focus("web-api-6f5c-aaaaa is down", graph([_status(deployment), _status(pod)])) == [pod]


def test_a_named_thing_that_no_evidence_knows_stands_for_itself(graph: Build) -> None:
    """The answer can then say that nothing about it was given."""
    assert focus("Why is deployment cart-api down?", graph()) == [Entity("deployment", "cart-api")]
