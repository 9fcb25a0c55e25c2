"""Small evidence graphs, written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.model import Entity, Fact, Mode, Relation, Scalar, Span

POD = Entity("pod", "web-1", "shop")


def fact(
    attribute: str,
    value: Scalar = "it failed badly",
    entity: Entity = POD,
    mode: Mode = Mode.STATUS,
    line: int = 1,
    **params: str,
) -> Fact:
    """A fact on its own line of one source."""
    return Fact(
        entity,
        attribute,
        value,
        mode,
        (Span("a" * 64, line * 10, line * 10 + 9, line, line),),
        params=tuple(sorted(params.items())),
    )


@pytest.fixture
def graph() -> Callable[..., EvidenceGraph]:
    """A graph of facts and (kind, a, b) relations."""

    def build(facts: Sequence[Fact] = (), relations: Sequence[tuple[str, Entity, Entity]] = ()) -> EvidenceGraph:
        return EvidenceGraph(facts, [Relation(*relation) for relation in relations])

    return build
