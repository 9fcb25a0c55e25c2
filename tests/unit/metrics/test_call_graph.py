"""Call graphs as people hand them in."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from faultmaven_core.analysis.extract import call_graph
from faultmaven_core.analysis.extract.tools import Findings

Read = Callable[[str], Findings]

EDGES = "Source,Target,Weight\nweb,cart,1\ncart,db,1\n"
MATRIX = ",web,cart,db\nweb,0.0,1.0,0.0\ncart,0.0,0.0,1.0\ndb,0.0,0.0,0.0\n"
HEADLESS = "web,cart,db\nweb,0,1,0\ncart,0,0,1\ndb,0,0,0\n"
JSON_EDGES = json.dumps({"edges": [{"source": "web", "target": "cart"}, {"source": "cart", "target": "db"}]}, indent=1)
JSON_LIST = json.dumps([{"caller": "web", "callee": "cart"}, {"caller": "cart", "callee": "db"}])


@pytest.mark.parametrize("text", [EDGES, MATRIX, HEADLESS, JSON_EDGES, JSON_LIST])
def test_every_form_gives_the_same_calls_each_on_its_line(read: Read, text: str) -> None:
    """Edges, a matrix with and without a corner cell, and JSON."""
    out = read(text)
    assert [(r.kind, r.a.name, r.b.name) for r in out.relations] == [("calls", "web", "cart"), ("calls", "cart", "db")]
    lines = text.splitlines()
    for relation in out.relations:
        (span,) = relation.spans
        assert relation.a.name in "".join(lines[span.first_line - 1 : span.last_line])


def test_a_table_without_a_single_call_is_refused_in_words(read: Read) -> None:
    """It is read as plain lines then, and the person is told."""
    out = read("source,target\n,\n")
    assert not out.relations
    assert any("caller and a callee" in problem for problem in out.problems)


def test_a_graph_with_too_many_edges_is_cut_and_says_so(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded."""
    monkeypatch.setattr(call_graph, "MAX_EDGES", 1)
    out = read(EDGES)
    assert len(out.relations) == 1
    assert "of 2 calls" in out.problems[0]


def test_a_call_to_itself_is_no_edge(read: Read) -> None:
    """It would make a thing its own cause."""
    assert read("caller,callee\nweb,web\nweb,cart\n").relations[0].b.name == "cart"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a\rb,c\nd", "time,source,target\n1700000000,a,b\n", "x\ny\n"])
def test_other_tables_are_no_call_graph(text: str) -> None:
    """A time column means events or metrics."""
    assert not call_graph.is_call_graph(text.splitlines())
