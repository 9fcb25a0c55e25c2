"""Traces as OTLP JSON, Jaeger and Zipkin: who called whom, which calls failed, and how long services took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from faultmaven_core.analysis.extract.metrics_series import number
from faultmaven_core.analysis.extract.metrics_time import moment
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node


@dataclass(frozen=True, slots=True)
class _Span:
    """One call. `seconds` is its duration, `error` what it says of its failure (empty: none, or none stated)."""

    id: str
    parent: str
    service: str
    name: str
    when: float | None
    seconds: float
    failed: bool
    error: str
    node: Node


@dataclass
class _Failures:
    first: _Span
    count: int = 0


def traces_json(node: Node, passage: Passage, out: Findings) -> bool:
    """Relations `calls`, facts `trace.error` per service and operation, and `trace.slowest` per service."""
    spans = [*_otlp(node), *_jaeger(node), *_zipkin(node)]
    by_id = {span.id: span for span in spans}
    calls: set[tuple[str, str]] = set()
    failures: dict[tuple[str, str], _Failures] = {}
    slowest: dict[str, _Span] = {}
    broken_below: dict[str, set[str]] = defaultdict(set)
    for span in spans:
        parent = by_id.get(span.parent)
        if span.failed and parent:
            broken_below[parent.id].add(span.id)
        if parent and parent.service != span.service and (parent.service, span.service) not in calls:
            calls.add((parent.service, span.service))
            a, b = Entity("service", parent.service), Entity("service", span.service)
            out.relation("calls", a, b, passage.span(span.node.first, span.node.last))
        if span.service not in slowest or span.seconds > slowest[span.service].seconds:
            slowest[span.service] = span
    for span in spans:
        # A span that fails because one below it fails passes an error on; the deepest one made it.
        if span.failed and not broken_below[span.id]:
            failures.setdefault((span.service, span.name), _Failures(span)).count += 1
    for (service, name), failure in sorted(failures.items()):
        one = failure.first
        value = f"{name} failed: {one.error}" if one.error else f"{name} failed"
        place = passage.span(one.node.first, one.node.last)
        out.fact(
            Entity("service", service), "trace.error", value, place, Mode.TRACE, when=one.when, count=failure.count
        )
    for service, one in sorted(slowest.items()):
        params = (("operation", one.name), ("trace_duration", f"{one.seconds:g} s"))
        place = passage.span(one.node.first, one.node.last)
        out.fact(
            Entity("service", service), "trace.slowest", one.seconds, place, Mode.TRACE, when=one.when, params=params
        )
    return bool(spans)


def _attributes(node: Node, key: str) -> dict[str, str]:
    """Attributes of OTLP ({key, value: {stringValue: …}}) and tags of Jaeger ({key, value}) and Zipkin (a mapping)."""
    found = {name: str(child.value) for name, child in node.entries(key)}
    for item in node.items(key):
        value = item.get("value")
        if value is not None and isinstance(value.value, Mapping):
            value = next((child for _, child in value.entries()), None)
        if value is not None and item.text("key"):
            found[item.text("key")] = str(value.value)
    return found


def _span(
    node: Node,
    service: str,
    ids: tuple[str, str],
    when: float | None,
    seconds: float,
    tags: Mapping[str, str],
    error: str,
) -> _Span:
    code = tags.get("http.status_code") or tags.get("http.response.status_code") or ""
    failed = bool(error) or tags.get("error", "false").lower() not in ("false", "") or code.startswith("5")
    said = (
        error
        or tags.get("exception.message", "")
        or tags.get("error.message", "")
        or (f"status {code}" if failed and code else "")
    )
    name = node.text("name") or node.text("operationName")
    return _Span(ids[0], ids[1], service, name, when, seconds if 0 < seconds < inf else 0.0, failed, said, node)


def _otlp(node: Node) -> Iterator[_Span]:
    for resource in (*node.items("resourceSpans"), *node.items("batches")):
        service = _attributes(resource.get("resource") or resource, "attributes").get("service.name", "")
        for scope in (*resource.items("scopeSpans"), *resource.items("instrumentationLibrarySpans")):
            for span in scope.items("spans"):
                start, end = number(span.text("startTimeUnixNano")), number(span.text("endTimeUnixNano"))
                bad = span.text("status", "code") in ("2", "STATUS_CODE_ERROR")
                error = (span.text("status", "message") or "error") if bad else ""
                ids = (span.text("spanId"), span.text("parentSpanId"))
                if service and ids[0]:
                    yield _span(
                        span, service, ids, moment(start), (end - start) / 1e9, _attributes(span, "attributes"), error
                    )


def _jaeger(node: Node) -> Iterator[_Span]:
    for trace in node.items("data"):
        services = {key: process.text("serviceName") for key, process in trace.entries("processes")}
        for span in trace.items("spans"):
            service = services.get(span.text("processID"), "")
            parent = next((r.text("spanID") for r in span.items("references") if r.text("refType") == "CHILD_OF"), "")
            seconds = number(span.text("duration")) / 1e6
            if service and span.text("spanID"):
                ids = (span.text("spanID"), parent or span.text("parentSpanID"))
                when = moment(number(span.text("startTime")))
                yield _span(span, service, ids, when, seconds, _attributes(span, "tags"), "")


def _zipkin(node: Node) -> Iterator[_Span]:
    for item in node.items():
        for span in item.items() or [item]:
            service = span.text("localEndpoint", "serviceName")
            if service and span.text("id") and span.text("traceId"):
                seconds = number(span.text("duration")) / 1e6
                tags = _attributes(span, "tags")
                ids = (span.text("id"), span.text("parentId"))
                error = tags.get("error", "")
                yield _span(span, service, ids, moment(number(span.text("timestamp"))), seconds, tags, error)
