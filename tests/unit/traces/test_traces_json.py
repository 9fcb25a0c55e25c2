"""Traces of three products tell the same story."""

from __future__ import annotations

import json

import pytest

from faultmaven_core.analysis.extract.json_documents import json_document
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity

START = 1_700_000_000


def otlp_span(span: str, parent: str, name: str, seconds: float, error: str = "") -> dict[str, object]:
    found: dict[str, object] = {
        "spanId": span,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(START * 10**9),
        "endTimeUnixNano": str(int((START + seconds) * 10**9)),
    }
    return found | ({"status": {"code": 2, "message": error}} if error else {})


def otlp_service(name: str, *spans: dict[str, object]) -> dict[str, object]:
    attributes = [{"key": "service.name", "value": {"stringValue": name}}]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}


OTLP = {
    "resourceSpans": [
        otlp_service("web", otlp_span("1", "", "GET /", 3.0, "failed"), otlp_span("2", "1", "render", 0.5)),
        otlp_service("pay", otlp_span("3", "1", "charge", 2.5, "card refused")),
    ]
}
JAEGER = {
    "data": [
        {
            "processes": {"p1": {"serviceName": "web"}, "p2": {"serviceName": "pay"}},
            "spans": [
                {
                    "spanID": "1",
                    "processID": "p1",
                    "operationName": "GET /",
                    "startTime": START * 10**6,
                    "duration": 3e6,
                    "tags": [{"key": "error", "value": True}],
                },
                {
                    "spanID": "3",
                    "processID": "p2",
                    "operationName": "charge",
                    "startTime": START * 10**6,
                    "duration": 2.5e6,
                    "references": [{"refType": "CHILD_OF", "spanID": "1"}],
                    "tags": [{"key": "error", "value": True}, {"key": "error.message", "value": "card refused"}],
                },
            ],
        }
    ]
}
ZIPKIN = [
    {
        "traceId": "t",
        "id": "1",
        "name": "GET /",
        "timestamp": START * 10**6,
        "duration": 3_000_000,
        "localEndpoint": {"serviceName": "web"},
        "tags": {"http.status_code": "500"},
    },
    {
        "traceId": "t",
        "id": "3",
        "parentId": "1",
        "name": "charge",
        "timestamp": START * 10**6,
        "duration": 2_500_000,
        "localEndpoint": {"serviceName": "pay"},
        "tags": {"error": "card refused"},
    },
]


def read(document: object) -> Findings:
    from faultmaven_adapters.scanning.re2 import Re2PatternScanner
    from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
    from faultmaven_core.analysis.extract.tools import Tools
    from faultmaven_core.analysis.signals.signatures import SignatureScan

    out = Findings(Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner(), [])), Entity("source", "file"))
    json_document(SourceText(json.dumps(document, indent=1).encode()).passage(), out)
    return out


@pytest.mark.parametrize("document", [OTLP, JAEGER, ZIPKIN], ids=["otlp", "jaeger", "zipkin"])
def test_calls_the_deepest_failure_and_the_slowest_operation_are_read(document: object) -> None:
    """The caller's error is passed on from below, and is not told twice."""
    out = read(document)
    assert [(r.kind, r.a.name, r.b.name) for r in out.relations] == [("calls", "web", "pay")]
    errors = [(f.entity.name, f.value, f.when) for f in out.facts if f.attribute == "trace.error"]
    assert errors == [("pay", "charge failed: card refused", float(START))]
    slowest = [
        (f.entity.name, f.value, dict(f.params)["operation"]) for f in out.facts if f.attribute == "trace.slowest"
    ]
    assert slowest == [("pay", 2.5, "charge"), ("web", 3.0, "GET /")]


def test_the_same_failure_again_is_counted() -> None:
    """One fact per service and operation."""
    spans = [otlp_span(str(n), "", "charge", 1.0, "card refused") for n in range(4)]
    errors = [f for f in read({"resourceSpans": [otlp_service("pay", *spans)]}).facts if f.attribute == "trace.error"]
    assert [f.count for f in errors] == [4]


def test_spans_without_a_name_for_their_service_or_themselves_say_nothing() -> None:
    """Nobody could be told whose they are."""
    out = read(
        {
            "resourceSpans": [{"scopeSpans": [{"spans": [otlp_span("1", "", "x", 1.0)]}]}],
            "data": [{"spans": [{"spanID": "2"}]}],
        }
    )
    assert not [f for f in out.facts if f.attribute.startswith("trace.")]
