"""Text that only looks like Kubernetes output: read or refused, never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
from faultmaven_core.analysis.checks.run import run_checks
from faultmaven_core.analysis.extract.extractors import EXTRACTORS
from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.analysis.extract.kubernetes_manifest import objects
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_health import healthy, unwell
from faultmaven_core.analysis.graph.kubernetes_joins import join
from faultmaven_core.analysis.model import Entity
from faultmaven_core.analysis.signals.signatures import SignatureScan

TOOLS = Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))

LINES = st.lists(
    st.sampled_from(
        [
            "Name:  web-0",
            "Namespace:  shop",
            "Status:  Running",
            "Containers:",
            "  web:",
            "    Image:  a",
            "    Port:  99999999999999999999/TCP",
            "    State:  Waiting",
            "      Reason:  CrashLoopBackOff",
            "      Exit Code:  ²",
            "    Restart Count:  -",
            "    Liveness:  http-get http://:/ delay=",
            "    Args:",
            "   ├── Event/x  -  :",
            "Conditions:",
            "  Type  Status",
            "Events:",
            "  Warning  BackOff  2m (x99999999999 over 7m)  kubelet  Back-off",
            "NAME  READY  STATUS  RESTARTS  AGE",
            "web-0  1/1  Running  0  9m",
            "└── Pod/web-1  0/1  Error  9m",
            "NAME  CPU(cores)  MEMORY(bytes)",
            "web-0  1e99  9Ei",
            "apiVersion: v1",
            "kind: Pod",
            "metadata: {name: [a], namespace: {b: c}}",
            "spec: {containers: [1, {name: x, ports: [{containerPort: y}]}]}",
            "status: {conditions: {a: b}}",
            "---",
            "",
            "\u0000\u202e:",
        ]
    )
    | st.text(max_size=30),
    max_size=40,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "namespace", "kind", "containers", "state", "waiting", "conditions", "type", "status", "ready", "capacity",
             "metadata", "spec", "labels", "selector", "ports", "reason", "involved_object", "items", "ownerReferences"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


def judged(out: Findings) -> None:
    graph = EvidenceGraph(out.facts, out.relations)
    graph = graph.with_more(relations=join(graph))
    run_checks(graph)
    assert not set(healthy(graph)) & {fact.entity for fact in unwell(graph)}


@settings(max_examples=150)
@given(
    LINES, st.sampled_from(["kubectl_describe", "kubectl_get", "kubectl_top", "kubernetes_manifest", "cluster_dump"])
)
def test_lines_in_any_order_are_survived(lines: list[str], kind: str) -> None:
    """Every reader is given what another one expects, cut and shuffled."""
    out = Findings(TOOLS, Entity("source", "x"))
    EXTRACTORS[kind](SourceText("\n".join(lines).encode("utf-8", "replace") or b"\n").passage(), out)
    judged(out)


@settings(max_examples=150)
@given(
    st.sampled_from(["pods", "nodes", "deployments", "warning_events", "items", "metadata"]),
    JSON,
    st.sampled_from(["", "PodList", "Service"]),
)
def test_json_of_any_shape_is_survived(key: str, value: Any, kind: str) -> None:
    """Keys stand where the API has them, values are of any type."""
    text = json.dumps({"kind": kind, key: value})
    out = Findings(TOOLS, Entity("source", "x"))
    objects(parse_json(text), SourceText(text.encode()).passage(), out)
    judged(out)
