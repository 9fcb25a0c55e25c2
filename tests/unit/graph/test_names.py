"""One name per thing, and whose lines a log holds."""

from __future__ import annotations

from itertools import pairwise

import pytest

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.model import Entity, Extraction, Fact, Mode, Relation, Source

POD = Entity("pod", "cart-7d9f-x2x4k", "shop")


def extraction(
    name: str, *facts: Fact, relations: tuple[Relation, ...] = (), provenance: tuple[tuple[str, str], ...] = ()
) -> Extraction:
    """What one source says."""
    return Extraction(Source(name, name * 4, 1, "log", provenance=provenance), facts, relations)


def said(entity: Entity, value: str = "x") -> Fact:
    """Any fact about an entity."""
    return Fact(entity, "status.phase", value, Mode.STATUS, ())


def test_an_entity_without_a_namespace_is_the_only_one_that_has_one() -> None:
    """A table may omit the column that a manifest states."""
    graph = EvidenceGraph.of([extraction("a", said(POD)), extraction("b", said(Entity("pod", POD.name), "y"))])
    assert graph.entities == (POD,)
    assert [fact.value for fact in graph.facts(POD)] == ["x", "y"]


def test_a_table_of_one_namespace_places_what_it_lists() -> None:
    """The collector's parameter says which; a node stands in none."""
    table = extraction(
        "get.txt",
        said(Entity("pod", POD.name)),
        said(Entity("node", "n1")),
        relations=(Relation("runs_on", Entity("pod", POD.name), Entity("node", "n1")),),
        provenance=(("params.namespace", "shop"),),
    )
    graph = EvidenceGraph.of([table])
    assert graph.entities == (Entity("node", "n1"), POD)
    assert graph.neighbours(POD)[0][0] == Entity("node", "n1")


def test_two_namespaces_leave_a_bare_name_on_its_own() -> None:
    """Guessing between two would put one's facts on the other."""
    twin, bare = Entity("pod", POD.name, "test"), Entity("pod", POD.name)
    graph = EvidenceGraph.of([extraction("a", said(POD), said(twin), said(bare))])
    assert graph.entities == (bare, POD, twin)


@pytest.mark.parametrize(
    "name", ["logs/cart-7d9f-x2x4k.log", "kubectl_logs_cart-7d9f-x2x4k_shop.txt", "bundle.zip!previous_x2x4k.txt"]
)
def test_a_log_belongs_to_the_pod_that_its_file_names(name: str) -> None:
    """By whole name, or by the part that makes a pod's name unique."""
    graph = EvidenceGraph.of(
        [extraction("pods.yaml", said(POD)), extraction(name, said(Entity("source", name), "line"))]
    )
    assert graph.writers[name] == POD
    assert [fact.value for fact in graph.facts(POD)] == ["line", "x"]


def test_what_the_collector_wrote_down_names_the_writer() -> None:
    """A parameter that names a pod; a filter or a namespace names none."""
    sources = [
        extraction("pods.yaml", said(POD)),
        extraction("1.txt", provenance=(("params.namespace", POD.name), ("params.pod_name", POD.name))),
        extraction("2.txt", provenance=(("params.namespace", POD.name),)),
    ]
    assert EvidenceGraph.of(sources).writers == {
        "pods.yaml": Entity("source", "pods.yaml"), "1.txt": POD, "2.txt": Entity("source", "2.txt"),
    }  # fmt: skip


def test_a_log_that_nobody_is_known_to_have_written_is_of_what_the_question_asks() -> None:
    """Only where the question asks about one thing."""
    asked = Entity("pod", "cart", "shop")
    alone = extraction("application.log", said(Entity("source", "application.log")))
    assert EvidenceGraph.of([alone], [asked]).entities == (asked,)
    assert EvidenceGraph.of([alone], [asked, POD]).entities == (Entity("source", "application.log"),)


def test_a_short_name_inside_a_longer_word_names_nobody() -> None:
    """`web` occurs in `webhook.log`."""
    graph = EvidenceGraph.of([extraction("a", said(Entity("pod", "hook", "shop"))), extraction("webhook.log")])
    assert graph.writers["webhook.log"] == Entity("source", "webhook.log")


def test_the_order_of_sources_changes_nothing() -> None:
    """Facts, relations and entities come in the same order."""
    relation = Relation("owns", Entity("replicaset", "cart-7d9f", "shop"), POD)
    sources = [
        extraction("a", said(POD), relations=(relation,)),
        extraction("b", said(Entity("pod", POD.name), "y")),
        extraction("c", said(POD, "z")),
    ]
    graphs = [EvidenceGraph.of(order) for order in (sources, sources[::-1])]
    assert graphs[0].entities == graphs[1].entities
    assert graphs[0].all_facts("**") == graphs[1].all_facts("**")
    assert graphs[0].relations == graphs[1].relations


def test_the_owner_of_the_owner_is_the_owner_even_in_a_ring() -> None:
    """Hostile manifests may own each other."""
    a, b, c = (Entity("deployment", name) for name in "abc")
    graph = EvidenceGraph((), [Relation("owns", a, b), Relation("owns", b, c), Relation("selects", c, a)])
    assert graph.owner(c) == a
    ring = EvidenceGraph((), [Relation("owns", a, b), Relation("owns", b, a)])
    assert ring.owner(a) == b


def test_globs_match_parts_of_paths() -> None:
    """One star is one part, two are any number; dots in names are not wildcards."""
    facts = [
        Fact(POD, name, 1, Mode.SPEC, ())
        for name in ("spec.containers.app.image", "spec.containers.app.resources.limits.cpu", "specXcontainers")
    ]
    graph = EvidenceGraph(facts, ())
    assert [f.attribute for f in graph.facts(POD, "spec.containers.*.image")] == ["spec.containers.app.image"]
    assert [f.attribute for f in graph.all_facts("spec.**")] == [f.attribute for f in facts[:2]]
    assert graph.facts(Entity("pod", "other")) == []


def test_what_was_concluded_can_be_added() -> None:
    """Violations and anomalies become facts beside the others."""
    graph = EvidenceGraph([said(POD)], ()).with_more([Fact(POD, "violation.x", "y", Mode.STATUS, ())])
    assert [f.attribute for f in graph.facts(POD)] == ["status.phase", "violation.x"]


def test_distances_count_relations_up_to_a_limit() -> None:
    """Both directions of a relation are a step."""
    chain = [Entity("pod", str(n)) for n in range(4)]
    graph = EvidenceGraph((), [Relation("calls", a, b) for a, b in pairwise(chain)])
    assert graph.distances([chain[3]], limit=2) == {chain[3]: 0, chain[2]: 1, chain[1]: 2}


def test_two_pods_on_one_node_are_not_linked_by_it() -> None:
    """The node is reached from either; from the node both are."""
    node, other = Entity("node", "n1"), Entity("pod", "other", "shop")
    graph = EvidenceGraph((), [Relation("runs_on", POD, node), Relation("runs_on", other, node)])
    assert graph.distances([POD]) == {POD: 0, node: 1}
    assert graph.distances([node]) == {node: 0, POD: 1, other: 1}
